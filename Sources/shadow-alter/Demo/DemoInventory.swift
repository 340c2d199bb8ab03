import PgConnection

/// Everything in a database that a migration could leave behind, or lose, by name.
struct DemoInventory: Sendable, Equatable {
    let entries: Set<String>

    init(entries: Set<String>) { self.entries = entries }

    init(on connection: isolated PgConnection) throws {
        entries = Set(try connection.query(Self.query).rows.compactMap { $0.text(0) })
    }

    /// What there is now and was not before.
    func added(since before: Self) -> [String] { entries.subtracting(before.entries).sorted() }

    /// What was there before and is no more.
    func missing(since before: Self) -> [String] { before.entries.subtracting(entries).sorted() }

    /// TOAST tables are left out, because their names are numbers that a new table changes.
    private static let query = """
        SELECT 'replication slot ' || slot_name FROM pg_replication_slots
        UNION ALL SELECT 'publication ' || pubname FROM pg_publication
        UNION ALL SELECT 'replication origin ' || roname FROM pg_replication_origin
        UNION ALL SELECT 'schema ' || nspname FROM pg_namespace WHERE nspname !~ '^pg_(toast_)?temp_'
        UNION ALL SELECT 'table, index or sequence ' || n.nspname || '.' || c.relname
            FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace WHERE n.nspname !~ '^pg_toast'
        UNION ALL SELECT 'constraint ' || conname || ' of ' || conrelid::regclass FROM pg_constraint WHERE conrelid <> 0
        UNION ALL SELECT 'trigger ' || tgname || ' of ' || tgrelid::regclass FROM pg_trigger
        UNION ALL SELECT 'replica identity ' || c.relreplident::text || ' of ' || n.nspname || '.' || c.relname
            FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace
            WHERE c.relkind IN ('r', 'p') AND n.nspname <> 'information_schema' AND n.nspname !~ '^pg_'
        UNION ALL SELECT 'function ' || oid::regprocedure FROM pg_proc WHERE oid >= 16384
        UNION ALL SELECT 'setting ' || s FROM pg_db_role_setting, unnest(setconfig) s
        UNION ALL SELECT 'prepared transaction ' || gid FROM pg_prepared_xacts
        UNION ALL SELECT 'advisory lock' FROM pg_locks WHERE locktype = 'advisory'
        UNION ALL SELECT 'session ' || application_name FROM pg_stat_activity WHERE application_name LIKE 'shadow-alter %'
        """
}
