CREATE TRIGGER "before Insert" BEFORE INSERT ON shop.orders FOR EACH ROW EXECUTE FUNCTION shop.touch('an argument', 'it''s \ another');
CREATE TRIGGER after_amount AFTER UPDATE OF amount, "Customer" ON shop.orders FOR EACH ROW
    WHEN (old.amount IS DISTINCT FROM new.amount AND new.state = 'paid') EXECUTE FUNCTION shop.touch();
CREATE TRIGGER transition AFTER UPDATE ON shop.orders REFERENCING OLD TABLE AS "old Rows" NEW TABLE AS new_rows FOR EACH STATEMENT
    EXECUTE FUNCTION shop.touch();
CREATE TRIGGER truncated BEFORE TRUNCATE ON shop.orders FOR EACH STATEMENT EXECUTE FUNCTION shop.touch();
CREATE TRIGGER disabled BEFORE DELETE ON shop.orders FOR EACH ROW EXECUTE FUNCTION shop.touch();
CREATE TRIGGER replica BEFORE UPDATE ON shop.orders FOR EACH ROW WHEN (old.* IS NOT NULL) EXECUTE FUNCTION shop.touch();
CREATE TRIGGER always AFTER INSERT OR DELETE ON shop.orders FOR EACH ROW EXECUTE FUNCTION shop.touch();
CREATE CONSTRAINT TRIGGER constraint_one AFTER INSERT OR UPDATE ON shop.orders DEFERRABLE INITIALLY DEFERRED FOR EACH ROW
    WHEN (new.amount > 100) EXECUTE FUNCTION shop.touch();
CREATE CONSTRAINT TRIGGER "constraint From" AFTER UPDATE ON shop.orders FROM shop.customers FOR EACH ROW EXECUTE FUNCTION shop.touch();
ALTER TABLE shop.orders DISABLE TRIGGER disabled, ENABLE REPLICA TRIGGER replica, ENABLE ALWAYS TRIGGER always;
COMMENT ON TRIGGER transition ON shop.orders IS 'a trigger';
