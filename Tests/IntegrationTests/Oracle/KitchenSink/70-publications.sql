SELECT current_setting('server_version_num')::int >= 150000 AS is_15 \gset
CREATE PUBLICATION "sink Plain" FOR TABLE shop.orders, shop.customers;
COMMENT ON PUBLICATION "sink Plain" IS 'a publication';
\if :is_15
CREATE PUBLICATION sink_narrow FOR TABLE shop.orders (id, "Customer", amount) WHERE (amount > 10), shop.regions WITH (publish = 'insert');
\endif
