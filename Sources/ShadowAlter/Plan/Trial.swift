import PgConnection

/// Executes the change on the clone, statement by statement, and watches what becomes of it.
struct Trial {
    struct Outcome {
        var tracker: ChangeTracker
        /// Why PostgreSQL's own ALTER TABLE would be more than a change of catalogs; nil when it is not.
        var reasonForWork: String?
    }

    let change: PlannedChange
    let green: QualifiedName
    let greenOID: UInt32
    let searchPath: String

    func run(on connection: isolated PgConnection) throws -> Outcome {
        let columns = try ColumnFacts.read(greenOID, on: connection)
        let before = try PhysicalFacts.read(greenOID, columns: columns, on: connection)
        var tracker = ChangeTracker(original: try sourceNamed(columns, on: connection))
        try connection.query(
            "SELECT set_config('search_path', $1, true)",
            [.text("\(Quoting.identifier(green.schema)), \(searchPath)")])
        for statement in change.statements {
            try execute(statement, on: connection)
            try tracker.apply(statement.alter, after: try ColumnFacts.read(greenOID, on: connection))
        }
        try connection.query("SELECT set_config('search_path', $1, true)", [.text(searchPath)])
        try checkReach(on: connection)
        let after = try PhysicalFacts.read(greenOID, columns: tracker.current, on: connection)
        return Outcome(tracker: tracker, reasonForWork: before.reasonForWork(after: after))
    }

    /// The clone's columns stand for the source's in the same order; dropped ones have left no gap.
    private func sourceNamed(_ columns: [ColumnFacts], on connection: isolated PgConnection) throws -> [ColumnFacts] {
        let source = try ColumnFacts.read(change.sourceOID, on: connection)
        guard source.map(\.name) == columns.map(\.name) else {
            throw MigrationError(
                .inconsistent, "the clone of \(change.source) has other columns than the table itself",
                state: "nothing was changed", advice: "this is a bug: please report it with the table's definition")
        }
        return columns
    }

    private func execute(_ statement: PlannedChange.Statement, on connection: isolated PgConnection) throws {
        let isClauses = statement.alter?.name.isEmpty == true
        let prefix = isClauses ? "ALTER TABLE \(green.sql) " : ""
        do {
            try connection.execute(prefix + statement.sql)
        } catch var error as PgError {
            guard error.sqlState != nil, error.sqlState != .lockNotAvailable else { throw error }
            // Point into what the user has typed.
            error.position = error.position.map { $0 - prefix.unicodeScalars.count }
            error.statement = statement.sql
            throw Refused([
                Refusal(
                    code: "sql-rejected", object: change.source.description,
                    what: "PostgreSQL does not accept the change",
                    why: error.description.split(separator: "\n", omittingEmptySubsequences: false).joined(
                        separator: "\n         "),
                    fix: "change the clauses; they were tried on an empty copy of the table")
            ])
        }
    }

    /// The change must not have touched anything but the clone: what it locked tells.
    private func checkReach(on connection: isolated PgConnection) throws {
        let touched = try connection.query(
            """
            SELECT l.relation::regclass::text FROM pg_locks l JOIN pg_class c ON c.oid = l.relation
            JOIN pg_namespace n ON n.oid = c.relnamespace
            WHERE l.pid = pg_backend_pid() AND l.locktype = 'relation'
              AND l.mode NOT IN ('AccessShareLock', 'RowShareLock', 'RowExclusiveLock')
              AND n.nspname <> $1 AND n.nspname NOT IN ('pg_catalog', 'pg_toast', 'information_schema') LIMIT 1
            """, [.text(green.schema)])
        if let other: String = try touched.first?.value() {
            throw Refused.change(
                other, "the change reaches beyond the table that is migrated",
                "it would be made at once, not at the cut-over",
                "leave that part out, and execute it on its own")
        }
        let present: UInt32? = try connection.query("SELECT to_regclass($1)::oid AS oid", [.text(green.sql)]).single()
            .optional("oid")
        guard present == greenOID else {
            throw Refused.change(
                change.source.description, "the change drops, renames or moves the table",
                "the new table takes the old one's place under its name", "leave that part out")
        }
    }
}
