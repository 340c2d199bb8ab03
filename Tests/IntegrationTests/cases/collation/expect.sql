-- Each row is a fact and whether it holds.
SELECT 'the column sorts by bytes', collation_name = 'C' FROM information_schema.columns
WHERE table_schema = 'public' AND table_name = 'orders' AND column_name = 'note';
SELECT 'so does the index', indcollation[0] = '"C"'::regcollation FROM pg_index WHERE indexrelid = 'orders_sorted'::regclass;
SELECT 'all indexes are there', array_agg(c.relname::text ORDER BY c.relname) = '{orders_code_key,orders_large,orders_note,orders_pkey,orders_serial_no_key,orders_sorted}'
FROM pg_index i JOIN pg_class c ON c.oid = i.indexrelid WHERE i.indrelid = 'orders'::regclass AND i.indisvalid;
SELECT 'it is analysed', count(*) > 3 FROM pg_stats WHERE schemaname = 'public' AND tablename = 'orders';
