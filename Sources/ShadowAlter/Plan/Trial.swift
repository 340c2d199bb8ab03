import PgConnection

/// A cloned table after the change has been tried on it.
struct TriedTable: Sendable {
    let clone: ClonedTable
    var tracker: ChangeTracker
    /// Why PostgreSQL's own ALTER TABLE would be more than a change of catalogs; nil when it is not.
    var reasonForWork: String?
}

/// Executes the change on the clones, statement by statement, and watches what becomes of each.
struct Trial {
    let statements: [PlannedChange.Statement]
    /// Of all tables that the change names.
    let clones: [ClonedTable]
    let greenSchema: String
    let searchPath: String

    func run(on connection: isolated PgConnection) throws -> [TriedTable] {
        var tried: [TriedTable] = []
        var before: [PhysicalFacts?] = []
        for clone in clones {
            let columns = try ColumnFacts.read(clone.greenOID, on: connection)
            // A partitioned table has no file; its partitions tell.
            before.append(
                clone.table.isPartitioned
                    ? nil : try PhysicalFacts.read(clone.greenOID, columns: columns, on: connection))
            try checkColumns(columns, of: clone, on: connection)
            tried.append(TriedTable(clone: clone, tracker: ChangeTracker(original: columns)))
        }
        try connection.query(
            "SELECT set_config('search_path', $1, true)",
            [.text("\(Quoting.identifier(greenSchema)), \(searchPath)")])
        for statement in statements {
            try execute(statement, on: connection)
            for index in tried.indices {
                let isMeant = statement.table.map { tried[index].clone.table.lineage.contains($0) } ?? false
                try tried[index].tracker.apply(
                    isMeant ? statement.alter : nil,
                    after: try ColumnFacts.read(tried[index].clone.greenOID, on: connection))
            }
        }
        try connection.query("SELECT set_config('search_path', $1, true)", [.text(searchPath)])
        try checkReach(on: connection)
        for (index, before) in before.enumerated() {
            guard let before else { continue }
            let after = try PhysicalFacts.read(
                tried[index].clone.greenOID, columns: tried[index].tracker.current, on: connection)
            tried[index].reasonForWork = before.reasonForWork(after: after)
        }
        for index in tried.indices where tried[index].clone.table.isPartitioned {
            let oid = tried[index].clone.sourceOID
            tried[index].reasonForWork =
                tried.first { $0.clone.table.lineage.contains(oid) && $0.reasonForWork != nil }?.reasonForWork
        }
        return tried
    }

    /// The clone's columns stand for the source's in the same order; dropped ones have left no gap.
    private func checkColumns(
        _ columns: [ColumnFacts], of clone: ClonedTable, on connection: isolated PgConnection
    ) throws {
        let source = try ColumnFacts.read(clone.sourceOID, on: connection)
        guard source.map(\.name) == columns.map(\.name) else {
            throw MigrationError(
                .inconsistent, "the clone of \(clone.source) has other columns than the table itself",
                state: "nothing was changed", advice: "this is a bug: please report it with the table's definition")
        }
    }

    private func execute(_ statement: PlannedChange.Statement, on connection: isolated PgConnection) throws {
        let meant = clones.first { $0.sourceOID == statement.table }
        let prefix = statement.isClauses ? "ALTER TABLE \(meant?.green.sql ?? "") " : ""
        do {
            try connection.execute(prefix + statement.sql)
        } catch var error as PgError {
            guard error.sqlState != nil, error.sqlState != .lockNotAvailable else { throw error }
            // Point into what the user has typed.
            error.position = error.position.map { $0 - prefix.unicodeScalars.count }
            error.statement = statement.sql
            throw Refused([
                Refusal(
                    code: "sql-rejected", object: meant?.source.description ?? "--script",
                    what: "PostgreSQL does not accept the change",
                    why: error.description.split(separator: "\n", omittingEmptySubsequences: false).joined(
                        separator: "\n         "),
                    fix:
                        "change the \(statement.isClauses ? "clauses; they were" : "statement; it was") tried on an empty copy of the table"
                )
            ])
        }
    }

    /// The change must not have touched anything but the clones: what it locked tells.
    private func checkReach(on connection: isolated PgConnection) throws {
        let touched = try connection.query(
            """
            SELECT l.relation::regclass::text FROM pg_locks l JOIN pg_class c ON c.oid = l.relation
            JOIN pg_namespace n ON n.oid = c.relnamespace
            WHERE l.pid = pg_backend_pid() AND l.locktype = 'relation'
              AND l.mode NOT IN ('AccessShareLock', 'RowShareLock', 'RowExclusiveLock')
              AND n.nspname <> $1 AND n.nspname NOT IN ('pg_catalog', 'pg_toast', 'information_schema') LIMIT 1
            """, [.text(greenSchema)])
        if let other: String = try touched.first?.value() {
            throw Refused.change(
                other, "the change reaches beyond the tables that are migrated",
                "it would be made at once, not at the cut-over",
                "leave that part out, and execute it on its own")
        }
        for clone in clones {
            let present: UInt32? = try connection.query("SELECT to_regclass($1)::oid AS oid", [.text(clone.green.sql)])
                .single().optional("oid")
            guard present == clone.greenOID else {
                throw Refused.change(
                    clone.source.description, "the change drops, renames or moves the table",
                    "the new table takes the old one's place under its name", "leave that part out")
            }
        }
    }
}
