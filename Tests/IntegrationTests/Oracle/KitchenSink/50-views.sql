CREATE VIEW shop.open_orders WITH (security_barrier) AS SELECT id, "Customer", amount, code, customer_id FROM shop.orders WHERE amount > 2;
ALTER VIEW shop.open_orders ALTER amount SET DEFAULT 17;
ALTER VIEW shop.open_orders OWNER TO sink_manager;
GRANT SELECT ON shop.open_orders TO sink_reader WITH GRANT OPTION;
GRANT UPDATE (amount) ON shop.open_orders TO "sink Clerk";
COMMENT ON VIEW shop.open_orders IS 'a view';
COMMENT ON COLUMN shop.open_orders.amount IS 'a column of a view';
CREATE TRIGGER instead INSTEAD OF DELETE ON shop.open_orders FOR EACH ROW EXECUTE FUNCTION shop.touch();
COMMENT ON TRIGGER instead ON shop.open_orders IS 'a trigger of a view';
CREATE VIEW "Odd ""Schema"."Big Orders" AS SELECT * FROM shop.open_orders WHERE amount > 50 WITH CASCADED CHECK OPTION;
CREATE RULE "view Rule" AS ON INSERT TO "Odd ""Schema"."Big Orders" DO INSTEAD INSERT INTO shop.audit VALUES (now(), new.code);
COMMENT ON RULE "view Rule" ON "Odd ""Schema"."Big Orders" IS 'a rule of a view';
CREATE VIEW api.orders WITH (check_option = local) AS SELECT id, code, "Customer" AS customer FROM shop.orders;
REVOKE ALL ON api.orders FROM sink_intruder;
CREATE VIEW api.whole AS SELECT o AS whole, o.id FROM shop.orders o;
CREATE VIEW api.grouped AS SELECT id, code, state, count(*) FROM shop.orders GROUP BY id;
CREATE VIEW api.joined AS SELECT o.id, o.code, o.email, o.weight, o.tags, c.id AS customer, c.name FROM shop.orders o JOIN shop.customers c ON c.id = o.customer_id;
SELECT current_setting('server_version_num')::int >= 150000 AS is_15 \gset
\if :is_15
CREATE VIEW api.invoker WITH (security_invoker, security_barrier = false) AS SELECT id, amount FROM shop.orders;
\endif
