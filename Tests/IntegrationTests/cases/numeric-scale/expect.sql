-- Each row is a fact and whether it holds.
SELECT 'amount is numeric(16,4)', format_type(atttypid, atttypmod) = 'numeric(16,4)' FROM pg_attribute WHERE attrelid = 'orders'::regclass AND attname = 'amount';
SELECT 'the unique constraint can still be deferred', condeferrable FROM pg_constraint
WHERE conrelid = 'orders'::regclass AND conname = 'orders_serial_no_key';
SELECT 'all indexes are there', array_agg(c.relname::text ORDER BY c.relname) = '{orders_code_key,orders_large,orders_note,orders_pkey,orders_serial_no_key}'
FROM pg_index i JOIN pg_class c ON c.oid = i.indexrelid WHERE i.indrelid = 'orders'::regclass AND i.indisvalid;
SELECT 'it is analysed', count(*) > 3 FROM pg_stats WHERE schemaname = 'public' AND tablename = 'orders';
