import PgConnection

/// The tables in which migrations are remembered: in the database that they change, so that a step and its effect share a transaction.
enum StateSchema {
    static let name = "shadow_alter"

    /// Serialises creation and removal of the schema among all runs in the database. Released with its transaction.
    static let lock = "SELECT pg_advisory_xact_lock(hashtextextended('shadow_alter state schema', 0))"

    static let create = """
        CREATE SCHEMA IF NOT EXISTS shadow_alter;
        CREATE TABLE IF NOT EXISTS shadow_alter.migration (
            id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
            name text NOT NULL UNIQUE,
            forward_id bigint UNIQUE REFERENCES shadow_alter.migration ON DELETE CASCADE,
            phase text NOT NULL,
            stream_name text NOT NULL,
            plan jsonb NOT NULL,
            complete_horizon xid8,
            complete_at timestamptz,
            steering jsonb NOT NULL DEFAULT '{}',
            condition text NOT NULL DEFAULT 'running',
            reason text,
            phase_eta float8,
            eta float8,
            eta_at timestamptz,
            socket text,
            message text NOT NULL DEFAULT '',
            settled boolean NOT NULL DEFAULT true,
            cut_over_attempts int NOT NULL DEFAULT 0,
            cut_over_last_error text,
            cut_over_last_hold_ms float8,
            cut_over_longest_wait_ms float8,
            verify_started_at timestamptz,
            verify_ended_at timestamptz,
            verify_outcome text,
            verify_rows bigint NOT NULL DEFAULT 0,
            verify_mismatches bigint NOT NULL DEFAULT 0,
            bake_until timestamptz,
            started_at timestamptz NOT NULL DEFAULT clock_timestamp(),
            ended_at timestamptz,
            finalize_started_at timestamptz);
        CREATE TABLE IF NOT EXISTS shadow_alter.migrated_table (
            id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
            migration_id bigint NOT NULL REFERENCES shadow_alter.migration ON DELETE CASCADE,
            position int NOT NULL,
            source_oid oid NOT NULL,
            green_oid oid NOT NULL,
            source_filenode oid,
            source_pages bigint,
            truncated_at bigint,
            keys_refreshed bigint NOT NULL DEFAULT 0,
            rows_copied bigint NOT NULL DEFAULT 0,
            UNIQUE (migration_id, position));
        CREATE TABLE IF NOT EXISTS shadow_alter.chunk (
            table_id bigint NOT NULL REFERENCES shadow_alter.migrated_table ON DELETE CASCADE,
            first_page bigint NOT NULL,
            end_page bigint NOT NULL,
            rows bigint NOT NULL,
            PRIMARY KEY (table_id, first_page));
        """

    static func spool(tableID: Int64) -> QualifiedName {
        QualifiedName(schema: name, name: "spool_\(tableID)")
    }

    /// Where rows of the old table leave what they keep while they are replaced (`KeptSQL`).
    static func kept(tableID: Int64) -> QualifiedName {
        QualifiedName(schema: name, name: "kept_\(tableID)")
    }

    /// Where the verification notes the rows that seem to differ.
    static func suspects(tableID: Int64) -> QualifiedName {
        QualifiedName(schema: name, name: "suspect_\(tableID)")
    }

    /// The keys of the live table's rows that the old definition does not take.
    static func parked(tableID: Int64) -> QualifiedName {
        QualifiedName(schema: name, name: "parked_\(tableID)")
    }

    /// Whether the state tables are there at all.
    static func exists(on connection: isolated PgConnection) throws -> Bool {
        try connection.query("SELECT to_regclass('shadow_alter.migration') IS NOT NULL").single().value()
    }

    /// Keeps everybody else from the state tables when they know of no other migration than this one, which is about to go. Returns whether it is so.
    ///
    /// To be called before its rows are locked. Somebody who steers it has a lock on the table and waits for the row; whoever has the row and asks for
    /// the table, to drop it, would wait for him. In the order in which others read them.
    static func lockIfOnly(_ id: Int64, on connection: isolated PgConnection) throws -> Bool {
        func isOnly() throws -> Bool {
            try connection.query(
                "SELECT NOT EXISTS (SELECT FROM shadow_alter.migration WHERE id <> $1 AND forward_id IS DISTINCT FROM $1)",
                [.int(id)]
            ).single().value()
        }
        guard try isOnly() else { return false }
        try connection.execute(
            "LOCK TABLE shadow_alter.migration, shadow_alter.migrated_table IN ACCESS EXCLUSIVE MODE")
        return try isOnly()
    }

    static func drop(on connection: isolated PgConnection) throws {
        try connection.execute("DROP SCHEMA shadow_alter CASCADE")
    }

    /// Removes the schema when no migration is left. To be called in the transaction that removed one.
    static func dropIfUnused(on connection: isolated PgConnection) throws {
        try connection.execute(lock)
        let used: Bool = try connection.query("SELECT EXISTS (SELECT FROM shadow_alter.migration)").single().value()
        if !used { try drop(on: connection) }
    }

    /// Removes what is left of the schema when no migration is recorded in it. What is not ours in there keeps it: PostgreSQL refuses then.
    static func dropRemains(on connection: isolated PgConnection) throws {
        // In the order in which they are read.
        let tables = ["migration", "migrated_table", "chunk"].map { "\(name).\($0)" }
        try connection.execute("DROP TABLE IF EXISTS \(tables.joined(separator: ", "))")
        try connection.execute("DROP SCHEMA IF EXISTS \(name)")
    }
}
