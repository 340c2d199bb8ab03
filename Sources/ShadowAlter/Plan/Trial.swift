import PgConnection

/// A cloned table after the change has been tried on it.
struct TriedTable: Sendable {
    var clone: ClonedTable
    var tracker: ChangeTracker
    /// Why PostgreSQL's own ALTER TABLE would be more than a change of catalogs; nil when it is not.
    var reasonForWork: String?
    /// Whether PostgreSQL has rewritten the empty clone, or may have.
    var isRewritten = false
    /// Whether the script has made another table in the place of the clone.
    var isReplaced = false
}

/// Executes the change on the clones, statement by statement, and watches what becomes of each.
struct Trial {
    let statements: [PlannedChange.Statement]
    /// Of all tables that the change names.
    let clones: [ClonedTable]
    /// The sources that the script drops and creates anew.
    var replaced: Set<UInt32> = []
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
            tried.append(
                TriedTable(
                    clone: clone, tracker: ChangeTracker(original: columns),
                    isReplaced: replaced.contains(clone.sourceOID)))
        }
        try connection.query(
            "SELECT set_config('search_path', $1, true)",
            [.text("\(Quoting.identifier(greenSchema)), \(searchPath)")])
        for statement in statements {
            try checkNames(statement, on: connection)
            try execute(statement, &tried, on: connection)
            for index in tried.indices where !tried[index].isReplaced {
                let isMeant = statement.table.map { tried[index].clone.table.lineage.contains($0) } ?? false
                try tried[index].tracker.apply(
                    isMeant ? statement.alter : nil,
                    after: try ColumnFacts.read(tried[index].clone.greenOID, on: connection))
            }
        }
        try connection.query("SELECT set_config('search_path', $1, true)", [.text(searchPath)])
        try checkReach(tried.map(\.clone), on: connection)
        for index in tried.indices where tried[index].isReplaced {
            before[index] = nil
            tried[index].reasonForWork = "the script puts another table in its place"
            tried[index].isRewritten = statements.contains { $0.table == tried[index].clone.sourceOID }
            tried[index].tracker = ChangeTracker(
                original: try ColumnFacts.read(tried[index].clone.sourceOID, on: connection),
                replacement: try ColumnFacts.read(tried[index].clone.greenOID, on: connection))
        }
        for (index, before) in before.enumerated() {
            guard let before else { continue }
            let after = try PhysicalFacts.read(
                tried[index].clone.greenOID, columns: tried[index].tracker.current, on: connection)
            tried[index].reasonForWork = before.reasonForWork(after: after)
            tried[index].isRewritten = before.heapFile != after.heapFile
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

    /// What a statement names must be found among the clones, or it would reach the live tables: the clone's may have been dropped before.
    private func checkNames(_ statement: PlannedChange.Statement, on connection: isolated PgConnection) throws {
        for object in statement.names {
            let schema: String?
            switch object {
            case .relation(let name):
                schema = try connection.query(
                    """
                    SELECT n.nspname FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace WHERE c.oid = to_regclass($1)
                    """, [.text(Quoting.identifiers(name))]
                ).first?.value()
            case .statistics(let name):
                schema = try connection.query(
                    """
                    SELECT n.nspname FROM pg_statistic_ext s JOIN pg_namespace n ON n.oid = s.stxnamespace
                    WHERE s.stxname = $1 AND pg_statistics_obj_is_visible(s.oid)
                    """, [.text(name.joined())]
                ).first?.value()
            }
            guard let schema, schema != greenSchema else { continue }
            throw Refused.change(
                object.name.joined(separator: "."),
                "the statement \(statement.sql.prefix(60)) … names it, and the changed table has it no more",
                "the statement would reach what is live", "correct the order of the statements, or leave this one out")
        }
    }

    private func execute(
        _ statement: PlannedChange.Statement, _ tried: inout [TriedTable], on connection: isolated PgConnection
    ) throws {
        switch statement.effect {
        case .other:
            try execute(statement, on: connection)
        case .drop(let tables):
            // Not by the names in the script.
            for table in tried where tables.contains(table.clone.sourceOID) {
                try connection.execute("DROP TABLE \(table.clone.green.sql)")
            }
        case .create(let source):
            try execute(statement, on: connection)
            guard let index = tried.firstIndex(where: { $0.clone.sourceOID == source }) else { return }
            let clone = tried[index].clone
            tried[index].clone.greenOID = try connection.query(
                "SELECT $1::text::regclass::oid", [.text(clone.green.sql)]
            ).single().value()
            try Replacement(tried[index].clone).takeOver(on: connection)
        case .createPartition(let name, let source):
            try execute(statement, on: connection)
            guard let table = tried.first(where: { $0.clone.sourceOID == source }) else { return }
            let partition = QualifiedName(schema: table.clone.green.schema, name: name)
            try Replacement(table.clone).giveOwner(to: partition, on: connection)
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
    private func checkReach(_ clones: [ClonedTable], on connection: isolated PgConnection) throws {
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
