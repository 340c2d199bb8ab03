import PgConnection

extension PgConnection {
    /// The size of a table's own file, in bytes.
    ///
    /// Throws `undefined_table` also for a table that is dropped while this waits for its lock: `pg_relation_size` is NULL for one.
    func fileSize(of table: QualifiedName) throws -> Int64 {
        try fileFact("pg_relation_size(oid)", of: table)
    }

    /// The size of a table's own file, in pages. Throws as `fileSize(of:)` does.
    func pages(of table: QualifiedName) throws -> Int64 {
        try fileFact("pg_relation_size(oid) / current_setting('block_size')::int", of: table)
    }

    private func fileFact(_ expression: String, of table: QualifiedName) throws -> Int64 {
        let value: Int64? = try query(
            "SELECT \(expression) AS value FROM CAST(CAST($1 AS text) AS regclass) AS oid", [.text(table.sql)]
        ).single().optional("value")
        guard let value else {
            throw PgError(code: .server(.undefinedTable), message: "relation \(table) was dropped by somebody else")
        }
        return value
    }
}
