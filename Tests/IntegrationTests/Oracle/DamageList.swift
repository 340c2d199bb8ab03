extension Damage {
    static let table: [Self] = [
        Self("ALTER TABLE shop.orders SET (fillfactor = 86)", "reloptions"),
        Self("ALTER TABLE shop.orders RESET (toast.autovacuum_vacuum_threshold)", "toast"),
        Self("ALTER TABLE shop.scratch SET LOGGED", "relpersistence"),
        Self("ALTER TABLE shop.orders SET TABLESPACE pg_default", "reltablespace"),
        Self("ALTER TABLE shop.orders REPLICA IDENTITY FULL", "relreplident"),
        Self("ALTER TABLE shop.orders SET WITHOUT CLUSTER", "indisclustered"),
        Self("ALTER TABLE shop.orders DISABLE ROW LEVEL SECURITY", "relrowsecurity"),
        Self("ALTER TABLE shop.orders NO FORCE ROW LEVEL SECURITY", "relforcerowsecurity"),
        Self("COMMENT ON TABLE shop.orders IS NULL", "the table's"),
        Self("COMMENT ON TYPE shop.orders IS NULL", "the row type"),
        Self("ALTER TABLE shop.orders OWNER TO postgres", "relowner"),
        Self("CREATE TABLE shop.orders_child () INHERITS (shop.orders)", "pg_inherits of"),
        Self("ALTER TABLE shop.returns DETACH PARTITION shop.returns_1", "relpartbound", since: 18),
        Self(
            "UPDATE pg_type SET typname = 'orders_array' WHERE typname = '_orders' AND typnamespace = 'shop'::regnamespace",
            "orders_array"),
        Self("ALTER EXTENSION plpgsql ADD TABLE shop.orders", "extension plpgsql"),
        Self(
            "DELETE FROM pg_statistic WHERE starelid = 'shop.orders'::regclass AND staattnum = (SELECT attnum FROM pg_attribute WHERE attrelid = starelid AND attname = 'amount')",
            "pg_statistic"),
        Self(
            "DELETE FROM pg_statistic_ext_data WHERE stxoid = (SELECT oid FROM pg_statistic_ext WHERE stxname = 'Orders stat')",
            "pg_statistic_ext_data"),
    ]

    static let columns: [Self] = [
        Self("ALTER TABLE shop.orders ALTER region SET STATISTICS 223", "attstattarget"),
        Self("ALTER TABLE shop.orders ALTER state SET (n_distinct = 4)", "attoptions"),
        Self("ALTER TABLE shop.orders ALTER notes SET STORAGE EXTENDED", "attstorage"),
        Self("ALTER TABLE shop.orders ALTER doc SET COMPRESSION DEFAULT", "attcompression"),
        Self("ALTER TABLE shop.orders ALTER spare SET NOT NULL", "attnotnull"),
        Self("ALTER TABLE shop.orders ALTER weight SET DEFAULT 1", "pg_attrdef"),
        Self("ALTER TABLE shop.orders ALTER id DROP IDENTITY", "attidentity"),
        Self("ALTER TABLE shop.orders ALTER id SET GENERATED ALWAYS", "attidentity"),
        Self("ALTER TABLE shop.orders ALTER total DROP EXPRESSION", "attgenerated"),
        Self("ALTER TABLE shop.orders ALTER nickname TYPE varchar(9)", "atttypmod"),
        Self("ALTER TABLE shop.orders ALTER nickname TYPE text COLLATE \"C\"", "attcollation"),
        Self("ALTER TABLE shop.orders DROP spare CASCADE; ALTER TABLE shop.orders ADD spare int", "position"),
        Self("COMMENT ON COLUMN shop.orders.id IS NULL", "the key"),
        Self("ALTER SEQUENCE shop.\"Order Numbers\" CACHE 1", "seqcache"),
        Self("ALTER SEQUENCE shop.\"Order Numbers\" RENAME TO numbers", "numbers"),
        Self(
            "ALTER SEQUENCE shop.orders_serial_no_seq OWNED BY NONE", "pg_depend of sequence shop.orders_serial_no_seq"),
        Self("ALTER SEQUENCE shop.orders_serial_no_seq AS int", "seqtypid"),
        Self("COMMENT ON SEQUENCE shop.\"Order Numbers\" IS NULL", "of identity"),
    ]

    static let indexes: [Self] = [
        Self("DROP INDEX shop.orders_brin", "- pg_class of index shop.orders_brin"),
        Self("UPDATE pg_index SET indisvalid = false WHERE indexrelid = 'shop.orders_hash'::regclass", "indisvalid"),
        Self("UPDATE pg_index SET indisready = false WHERE indexrelid = 'shop.orders_hash'::regclass", "indisready"),
        Self("ALTER INDEX shop.orders_lower ALTER COLUMN 1 SET STATISTICS 322", "attstattarget"),
        Self("ALTER INDEX shop.orders_lower SET TABLESPACE pg_default", "reltablespace"),
        Self("ALTER INDEX shop.orders_lower RESET (deduplicate_items)", "reloptions"),
        Self("ALTER INDEX shop.orders_brin SET (pages_per_range = 5)", "reloptions"),
        Self("COMMENT ON INDEX shop.orders_lower IS 'another'", "another"),
        Self(
            "ALTER INDEX shop.orders_hash NO DEPENDS ON EXTENSION plpgsql", "pg_depend of index shop.orders_hash"),
        Self(
            "ALTER INDEX shop.orders_code_key NO DEPENDS ON EXTENSION plpgsql",
            "pg_depend of index shop.orders_code_key"),
        recreate("orders_hash", "", "ON shop.orders USING hash (region)", "indkey"),
        recreate("orders_half", "UNIQUE", "ON shop.orders (shop.halve(serial_no)) WHERE serial_no > 1", "indpred"),
        recreate("orders_half", "UNIQUE", "ON shop.orders (shop.halve(serial_no + 1)) WHERE serial_no > 0", "indexprs"),
        recreate("orders_half", "", "ON shop.orders (shop.halve(serial_no)) WHERE serial_no > 0", "indisunique"),
        recreate(
            "orders_brin", "",
            "ON shop.orders USING brin (placed, id int4_minmax_multi_ops) WITH (pages_per_range = 4, autosummarize = on)",
            "indclass"),
        recreate(
            "a_index_of_sixty_three_bytes_0123456789_0123456789_0123456789_0", "",
            "ON shop.orders (amount, state DESC)",
            "indoption"),
        recreate("orders_one_null", "UNIQUE", "ON shop.orders (code, email)", "indnullsnotdistinct", since: 15),
        Self("ALTER STATISTICS shop.\"Orders stat\" SET STATISTICS 56", "stxstattarget"),
        Self("ALTER STATISTICS shop.orders_expression OWNER TO sink_owner", "stxowner"),
        Self("COMMENT ON STATISTICS shop.\"Orders stat\" IS NULL", "a statistics object"),
        Self(
            "DROP STATISTICS shop.\"Orders stat\"; CREATE STATISTICS shop.\"Orders stat\" (mcv) ON country, region, state FROM shop.orders",
            "stxkind"),
        Self(
            "DROP STATISTICS shop.orders_expression; CREATE STATISTICS shop.orders_expression ON (amount * 3), lower(\"Customer\") FROM shop.orders",
            "stxexprs"),
    ]

    private static func recreate(_ name: String, _ kind: String, _ rest: String, _ word: String, since: Int = 14)
        -> Self
    {
        Self("DROP INDEX shop.\(name); CREATE \(kind) INDEX \(name) \(rest)", word, since: since)
    }

    static let constraints: [Self] = [
        Self("ALTER TABLE shop.orders DROP CONSTRAINT \"positive amount\"", "positive amount"),
        Self("UPDATE pg_constraint SET convalidated = true WHERE conname = 'not yet'", "convalidated"),
        Self("UPDATE pg_constraint SET convalidated = false WHERE conname = 'orders_customer'", "convalidated"),
        Self("UPDATE pg_constraint SET connoinherit = false WHERE conname = 'known_region'", "connoinherit"),
        Self("ALTER TABLE shop.orders ALTER CONSTRAINT orders_customer DEFERRABLE", "condeferrable"),
        Self("ALTER TABLE shop.orders ALTER CONSTRAINT \"orders region\" INITIALLY IMMEDIATE", "condeferred"),
        Self("UPDATE pg_constraint SET confmatchtype = 's' WHERE conname = 'orders region'", "confmatchtype"),
        foreignKey("lines", "of the order", "(order_id) REFERENCES shop.orders ON DELETE CASCADE", "confupdtype"),
        foreignKey("lines", "of the order", "(order_id) REFERENCES shop.orders ON UPDATE CASCADE", "confdeltype"),
        foreignKey(
            "orders", "orders_name",
            "(customer_id, \"Customer\") REFERENCES shop.customers (id, name) ON DELETE SET NULL (\"Customer\") NOT VALID",
            "confdelsetcols", since: 15),
        Self("ALTER TABLE shop.orders DISABLE TRIGGER ALL", "tgenabled"),
        Self(
            "ALTER TABLE shop.orders DROP CONSTRAINT orders_code_key CASCADE; CREATE UNIQUE INDEX orders_code_key ON shop.orders (code) WITH (fillfactor = 70) TABLESPACE \"sink Space\"",
            "pg_constraint"),
        Self("ALTER TABLE shop.orders DROP CONSTRAINT \"no overlap\"", "no overlap"),
        Self("COMMENT ON CONSTRAINT \"not yet\" ON shop.orders IS NULL", "not valid"),
        Self(
            "ALTER TABLE shop.orders RENAME CONSTRAINT \"amount is known\" TO amount_known", "amount_known", since: 18),
    ]

    private static func foreignKey(
        _ table: String, _ name: String, _ definition: String, _ word: String, since: Int = 14
    ) -> Self {
        Self(
            "ALTER TABLE shop.\(table) DROP CONSTRAINT \"\(name)\", ADD CONSTRAINT \"\(name)\" FOREIGN KEY \(definition)",
            word, since: since)
    }
}
