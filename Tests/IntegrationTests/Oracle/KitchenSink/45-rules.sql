CREATE RULE log_update AS ON UPDATE TO shop.orders WHERE old.amount <> new.amount AND new.amount < 0 DO ALSO INSERT INTO shop.audit VALUES (now(), new."Customer");
CREATE RULE "log Delete" AS ON DELETE TO shop.orders WHERE old.amount < 0 DO ALSO (
    INSERT INTO shop.audit VALUES (now(), old.code); UPDATE shop.customers SET name = old.code WHERE id < 0);
CREATE RULE disabled AS ON INSERT TO shop.orders DO INSTEAD NOTHING;
CREATE RULE replica AS ON INSERT TO shop.orders DO INSTEAD NOTHING;
CREATE RULE always AS ON INSERT TO shop.orders WHERE new.amount < 0 DO ALSO UPDATE shop.customers SET name = name WHERE id = new.customer_id;
ALTER TABLE shop.orders DISABLE RULE disabled, ENABLE REPLICA RULE replica, ENABLE ALWAYS RULE always;
COMMENT ON RULE log_update ON shop.orders IS 'a rule';
