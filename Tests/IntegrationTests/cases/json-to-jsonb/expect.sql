-- Each row is a fact and whether it holds.
SELECT 'doc is jsonb', format_type(atttypid, atttypmod) = 'jsonb' FROM pg_attribute WHERE attrelid = 'orders'::regclass AND attname = 'doc';
SELECT 'all indexes are there', array_agg(c.relname::text ORDER BY c.relname) = '{orders_code_key,orders_large,orders_note,orders_pkey,orders_serial_no_key}'
FROM pg_index i JOIN pg_class c ON c.oid = i.indexrelid WHERE i.indrelid = 'orders'::regclass AND i.indisvalid;
SELECT 'it is analysed', count(*) > 3 FROM pg_stats WHERE schemaname = 'public' AND tablename = 'orders';
