import PgConnection

/// Makes a foreign key on the empty green tables. In the place of a table that is not migrated stands a copy of its columns, so that nobody
/// has to wait: adding a foreign key stops writing on both of its tables.
struct ForeignKeyTrial {
    let key: ForeignKey
    let tables: [MigratedTable]

    /// Why it cannot be carried over; nil when PostgreSQL accepts it.
    func run(on connection: isolated PgConnection) throws -> Refusal? {
        guard let schema = tables.first?.green.schema else { return nil }
        var moved = key.moved(tables) { $0.green }
        var statements: [String] = []
        if !isMigrated(key.referencing) {
            moved.referencing.table = QualifiedName(schema: schema, name: "shadow_alter_referencing")
            statements.append(
                moved.referencing.table.definition(try ColumnFacts.read(key.referencing.oid, on: connection)))
        }
        if !isMigrated(key.referenced) {
            moved.referenced.table = QualifiedName(schema: schema, name: "shadow_alter_referenced")
            statements.append(
                moved.referenced.table.definition(try ColumnFacts.read(key.referenced.oid, on: connection)))
            statements.append(try index(on: moved.referenced.table, connection))
        }
        let leaves = tables.first { $0.sourceOID == key.referencing.oid }?.leaves.map(\.green) ?? []
        let partitioned = PartitionedForeignKey(
            moved, leaves: leaves, version: connection.serverVersion.major)
        statements += partitioned.map { $0.add + [moved.add(validated: true)] } ?? [moved.add()]
        guard let error = try connection.rejection(of: statements) else { return nil }
        return Refusal(
            code: "foreign-key-not-possible",
            object: (tables.first { $0.sourceOID == key.referencing.oid } ?? tables[0]).source.description,
            what: "the \(key.title) cannot be made after the change",
            why: "PostgreSQL says: \(error.message)\(error.detail.map { " (\($0))" } ?? "")",
            fix: "change both sides alike, or drop the foreign key beforehand: \(key.drop());")
    }

    private func isMigrated(_ end: ForeignKey.End) -> Bool {
        tables.contains { $0.sourceOID == end.oid }
    }

    /// The unique index that the foreign key stands on.
    private func index(on copy: QualifiedName, _ connection: isolated PgConnection) throws -> String {
        let row = try connection.query(
            """
            SELECT pg_get_indexdef(x.indexrelid) AS definition, pg_get_constraintdef(u.oid) AS constraint_definition,
                format('CREATE UNIQUE INDEX %I ON %s%I.%I ', i.relname, CASE i.relkind WHEN 'I' THEN 'ONLY ' ELSE '' END, n.nspname, t.relname)
                    AS head
            FROM pg_constraint k JOIN pg_index x ON x.indexrelid = k.conindid JOIN pg_class i ON i.oid = x.indexrelid
            JOIN pg_class t ON t.oid = x.indrelid JOIN pg_namespace n ON n.oid = t.relnamespace
            LEFT JOIN pg_constraint u ON u.conindid = x.indexrelid AND u.conrelid = x.indrelid AND u.contype IN ('p', 'u')
            WHERE k.oid = $1
            """, [.int(key.oid)]
        ).single()
        if key.hasPeriod, let constraint: String = try row.optional("constraint_definition") {
            return "ALTER TABLE \(copy.sql) ADD \(constraint)"
        }
        let definition: String = try row.get("definition")
        let head: String = try row.get("head")
        guard definition.hasPrefix(head) else {
            throw MigrationError(
                .inconsistent, "the definition of an index does not begin as expected: \(definition)",
                state: "nothing was changed", advice: "this is a bug: please report it with the server's version")
        }
        return "CREATE UNIQUE INDEX ON \(copy.sql) \(definition.dropFirst(head.count))"
    }
}
