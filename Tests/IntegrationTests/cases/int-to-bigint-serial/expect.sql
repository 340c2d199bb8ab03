-- Each row is a fact and whether it holds.
SELECT 'id is bigint', format_type(atttypid, atttypmod) = 'bigint' FROM pg_attribute WHERE attrelid = 'orders'::regclass AND attname = 'id';
SELECT 'the sequence belongs to the new table', pg_get_serial_sequence('orders', 'id') = 'public.orders_id_seq';
SELECT 'the default asks the sequence', column_default = 'nextval(''orders_id_seq''::regclass)' FROM information_schema.columns
WHERE table_schema = 'public' AND table_name = 'orders' AND column_name = 'id';
SELECT 'all indexes are there', array_agg(c.relname::text ORDER BY c.relname) = '{orders_code_key,orders_large,orders_note,orders_pkey,orders_serial_no_key}'
FROM pg_index i JOIN pg_class c ON c.oid = i.indexrelid WHERE i.indrelid = 'orders'::regclass AND i.indisvalid;
SELECT 'it is analysed', count(*) > 3 FROM pg_stats WHERE schemaname = 'public' AND tablename = 'orders';
SELECT 'every visit is counted once', (SELECT sum(visits) FROM orders) = count(*) AND count(*) > 0 FROM visit_log;
