-- Each row is a fact and whether it holds.
SELECT 'added_constant is integer', format_type(atttypid, atttypmod) = 'integer' FROM pg_attribute WHERE attrelid = 'orders'::regclass AND attname = 'added_constant';
SELECT 'added_volatile is uuid', format_type(atttypid, atttypmod) = 'uuid' FROM pg_attribute WHERE attrelid = 'orders'::regclass AND attname = 'added_volatile';
SELECT 'added_nullable is text', format_type(atttypid, atttypmod) = 'text' FROM pg_attribute WHERE attrelid = 'orders'::regclass AND attname = 'added_nullable';
SELECT 'every row has a value of its own', count(DISTINCT added_volatile) = count(*) FROM orders;
SELECT 'they are NOT NULL', count(*) = 2 FROM information_schema.columns
WHERE table_schema = 'public' AND table_name = 'orders' AND column_name ~ '^added' AND is_nullable = 'NO';
SELECT 'all indexes are there', array_agg(c.relname::text ORDER BY c.relname) = '{orders_code_key,orders_large,orders_note,orders_pkey,orders_serial_no_key}'
FROM pg_index i JOIN pg_class c ON c.oid = i.indexrelid WHERE i.indrelid = 'orders'::regclass AND i.indisvalid;
SELECT 'it is analysed', count(*) > 3 FROM pg_stats WHERE schemaname = 'public' AND tablename = 'orders';
