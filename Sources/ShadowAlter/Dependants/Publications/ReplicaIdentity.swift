import PgConnection

/// By what subscribers find the row that was updated or deleted.
enum ReplicaIdentity {
    /// Whether the change makes it another one, so that PostgreSQL may no longer accept updates and deletes under a publication.
    static func differs(_ table: MigratedTable, on connection: isolated PgConnection) throws -> Bool {
        let before = try read(table.sourceOID, on: connection)
        let after = try read(table.greenOID, on: connection)
        return before?.compactMap { table.greenName(of: $0) }.sorted() != after?.sorted()
    }

    /// Statements that fail where the application's would; they change nothing.
    static func uses(
        of table: MigratedTable, _ publication: PublicationMembership.Publication, on connection: isolated PgConnection
    ) throws -> [String] {
        guard let column = try ColumnFacts.read(table.greenOID, on: connection).first else { return [] }
        var statements: [String] = []
        if publication.actions.contains("update") {
            statements.append(
                "EXPLAIN UPDATE \(table.green.sql) SET \(Quoting.identifier(column.name)) = DEFAULT")
        }
        if publication.actions.contains("delete") { statements.append("EXPLAIN DELETE FROM \(table.green.sql)") }
        return statements
    }

    /// The names of the columns, empty where there is none; nil for whole rows.
    private static func read(_ oid: UInt32, on connection: isolated PgConnection) throws -> [String]? {
        let row = try connection.query(
            """
            SELECT c.relreplident = 'f' AS is_full, ARRAY(SELECT a.attname::text FROM pg_index i
                JOIN pg_attribute a ON a.attrelid = i.indrelid AND a.attnum = ANY ((i.indkey::int2[])[0:i.indnkeyatts - 1])
                WHERE i.indrelid = c.oid AND i.indimmediate
                    AND CASE c.relreplident WHEN 'd' THEN i.indisprimary WHEN 'i' THEN i.indisreplident END) AS columns
            FROM pg_class c WHERE c.oid = $1
            """, [.int(oid)]
        ).single()
        return try row.get("is_full", as: Bool.self) ? nil : row.get("columns", as: [String].self)
    }
}
