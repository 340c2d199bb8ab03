COMMENT ON TABLE shop.orders IS 'the table''s \ comment';
COMMENT ON COLUMN shop.orders.id IS 'the key';
COMMENT ON COLUMN shop.orders."Ünïcode ""quoted"" näme" IS 'Ü';
COMMENT ON CONSTRAINT "positive amount" ON shop.orders IS 'a check';
COMMENT ON CONSTRAINT "not yet" ON shop.orders IS 'a check that is not valid';
COMMENT ON CONSTRAINT orders_pkey ON shop.orders IS 'the key''s constraint';
COMMENT ON CONSTRAINT "no overlap" ON shop.orders IS 'an exclusion';
COMMENT ON INDEX shop.orders_pkey IS 'the key''s index';
COMMENT ON INDEX shop.orders_lower IS 'an index';
COMMENT ON STATISTICS shop."Orders stat" IS 'a statistics object';
COMMENT ON SEQUENCE shop."Order Numbers" IS 'of identity';
COMMENT ON SEQUENCE shop.orders_serial_no_seq IS 'of serial';
COMMENT ON TYPE shop.orders IS 'the row type';
SELECT current_setting('server_version_num')::int >= 180000 AS is_18 \gset
\if :is_18
COMMENT ON CONSTRAINT "amount is known" ON shop.orders IS 'a NOT NULL';
COMMENT ON CONSTRAINT "not enforced" ON shop.orders IS 'a promise';
\endif
