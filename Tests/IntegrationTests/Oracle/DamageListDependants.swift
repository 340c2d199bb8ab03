extension Damage {
    static let hangingOn: [Self] = [
        Self("DROP TRIGGER after_amount ON shop.orders", "after_amount"),
        Self("ALTER TABLE shop.orders ENABLE TRIGGER disabled", "tgenabled"),
        Self("ALTER TABLE shop.orders ENABLE TRIGGER always", "tgenabled"),
        trigger(
            "after_amount",
            "AFTER UPDATE OF amount ON shop.orders FOR EACH ROW WHEN (old.amount IS DISTINCT FROM new.amount AND new.state = 'paid')",
            "tgattr"),
        trigger(
            "after_amount",
            "AFTER UPDATE OF amount, \"Customer\" ON shop.orders FOR EACH ROW WHEN (old.amount <> new.amount)", "tgqual"
        ),
        trigger(
            "transition", "AFTER UPDATE ON shop.orders REFERENCING NEW TABLE AS new_rows FOR EACH STATEMENT",
            "tgoldtable"),
        Self(
            "DROP TRIGGER \"before Insert\" ON shop.orders; CREATE TRIGGER \"before Insert\" BEFORE INSERT ON shop.orders FOR EACH ROW EXECUTE FUNCTION shop.touch('an argument')",
            "tgargs"),
        Self("COMMENT ON TRIGGER transition ON shop.orders IS NULL", "a trigger"),
        Self("ALTER TABLE shop.orders ENABLE RULE disabled", "ev_enabled"),
        Self("CREATE OR REPLACE RULE always AS ON INSERT TO shop.orders DO ALSO NOTHING", "ev_action"),
        Self("COMMENT ON RULE log_update ON shop.orders IS NULL", "a rule"),
        Self("DROP POLICY family ON shop.orders", "family"),
        Self("ALTER POLICY everybody ON shop.orders TO sink_reader", "polroles"),
        Self("ALTER POLICY everybody ON shop.orders USING (amount > 2)", "polqual"),
        Self("ALTER POLICY \"own Rows\" ON shop.orders WITH CHECK (true)", "polwithcheck"),
        Self(
            "DROP POLICY everybody ON shop.orders; CREATE POLICY everybody ON shop.orders AS RESTRICTIVE FOR SELECT USING (amount > 1 OR owner_name = current_user)",
            "polpermissive"),
        Self("COMMENT ON POLICY everybody ON shop.orders IS NULL", "a policy"),
        Self("ALTER PUBLICATION \"sink Plain\" DROP TABLE shop.orders", "pg_publication_rel"),
        Self(
            "ALTER PUBLICATION sink_narrow SET TABLE shop.orders (id, \"Customer\") WHERE (amount > 10), shop.regions",
            "prattrs", since: 15),
        Self(
            "ALTER PUBLICATION sink_narrow SET TABLE shop.orders (id, \"Customer\", amount), shop.regions", "prqual",
            since: 15),
        Self("ALTER PUBLICATION \"sink Plain\" SET (publish = 'insert')", "pubupdate"),
        Self("ALTER EVENT TRIGGER sink_drop ENABLE", "evtenabled"),
        Self("DROP FUNCTION shop.label CASCADE", "label"),
        Self("ALTER FUNCTION shop.find ROWS 2", "prorows"),
        Self("ALTER FUNCTION shop.find RESET search_path", "proconfig"),
        Self("ALTER FUNCTION shop.first SECURITY INVOKER", "prosecdef"),
        Self(
            "CREATE OR REPLACE PROCEDURE shop.cleanse(lowest numeric) LANGUAGE sql BEGIN ATOMIC SELECT 1; END",
            "prosqlbody"),
        Self("COMMENT ON FUNCTION shop.how_many IS NULL", "a function"),
        Self("ALTER FUNCTION shop.how_many NO DEPENDS ON EXTENSION plpgsql", "pg_depend of function shop.how_many"),
        Self("ALTER FUNCTION shop.label NO DEPENDS ON EXTENSION plpgsql", "pg_depend of function shop.label"),
    ]

    private static func trigger(_ name: String, _ definition: String, _ word: String) -> Self {
        Self(
            "DROP TRIGGER \(name) ON shop.orders; CREATE TRIGGER \(name) \(definition) EXECUTE FUNCTION shop.touch()",
            word)
    }

    static let views: [Self] = [
        Self("ALTER VIEW shop.open_orders RESET (security_barrier)", "reloptions"),
        Self("ALTER VIEW api.invoker SET (security_invoker = false)", "reloptions", since: 15),
        Self("ALTER VIEW \"Odd \"\"Schema\".\"Big Orders\" RESET (check_option)", "reloptions"),
        Self("ALTER VIEW shop.open_orders ALTER amount DROP DEFAULT", "pg_attrdef"),
        Self("ALTER VIEW shop.open_orders OWNER TO postgres", "relowner"),
        Self(
            "CREATE OR REPLACE VIEW api.whole AS SELECT o AS whole, o.id FROM shop.orders o WHERE id > 0", "ev_action"),
        Self("DROP TRIGGER instead ON shop.open_orders", "instead"),
        Self("DROP RULE \"view Rule\" ON \"Odd \"\"Schema\".\"Big Orders\"", "view Rule"),
        Self("COMMENT ON COLUMN shop.open_orders.amount IS NULL", "a column of a view"),
        Self("REFRESH MATERIALIZED VIEW shop.sums WITH NO DATA", "relispopulated"),
        Self("REFRESH MATERIALIZED VIEW shop.empty", "relispopulated"),
        Self("DROP INDEX shop.\"sums Sum\"", "sums Sum"),
        Self("ALTER MATERIALIZED VIEW shop.sums SET WITHOUT CLUSTER", "indisclustered"),
        Self("ALTER MATERIALIZED VIEW shop.sums ALTER sum SET STATISTICS 45", "attstattarget"),
        Self("ALTER MATERIALIZED VIEW shop.sums RESET (fillfactor)", "reloptions"),
        Self("ALTER MATERIALIZED VIEW shop.sums SET TABLESPACE pg_default", "reltablespace"),
        Self("DROP STATISTICS shop.sums_stat", "sums_stat"),
        Self(
            "ALTER MATERIALIZED VIEW shop.sums NO DEPENDS ON EXTENSION plpgsql",
            "pg_depend of materialized view shop.sums"),
        Self(
            "ALTER INDEX shop.\"sums Sum\" NO DEPENDS ON EXTENSION plpgsql", "pg_depend of index shop.\"sums Sum\""),
    ]

    static let access: [Self] = [
        Self("REVOKE ALL ON shop.scratch FROM postgres", "relacl"),
        Self("REVOKE INSERT ON shop.orders FROM sink_manager CASCADE", "relacl"),
        Self(
            "SET ROLE sink_manager; REVOKE GRANT OPTION FOR INSERT ON shop.orders FROM sink_reader; RESET ROLE",
            "relacl"),
        Self("GRANT SELECT ON shop.orders TO sink_intruder", "relacl"),
        Self("GRANT SELECT ON shop.orders TO sink_reader", "relacl"),
        Self("REVOKE UPDATE (amount) ON shop.orders FROM \"sink Clerk\"", "attacl"),
        Self("REVOKE ALL ON SEQUENCE shop.\"Order Numbers\" FROM \"sink Clerk\"", "relacl"),
        Self("GRANT USAGE ON TYPE shop.orders TO PUBLIC", "typacl"),
        Self("REVOKE UPDATE (amount) ON shop.open_orders FROM \"sink Clerk\"", "attacl"),
        Self("REVOKE EXECUTE ON FUNCTION shop.how_many FROM sink_reader", "proacl"),
        Self("ALTER DEFAULT PRIVILEGES REVOKE ALL ON TABLES FROM sink_intruder", "defaclacl"),
        Self("GRANT CREATE ON SCHEMA shop TO sink_reader", "nspacl"),
        Self("CREATE SCHEMA orders_green", "orders_green"),
    ]
}
