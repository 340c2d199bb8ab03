import PgConnection

/// Reads a table, however large, through a cursor.
struct TableScan: Sendable {
    let reading: CanonicalReading
    /// Rows for each FETCH: some megabytes at most.
    static let batch = 5000

    /// Calls `body` with each row of the query. Must run in a transaction.
    func forEachRow(
        _ query: String, on connection: isolated PgConnection, _ body: (PgRow) throws -> Void
    ) throws {
        try connection.execute("DECLARE ledger_scan NO SCROLL CURSOR FOR \(query)")
        while true {
            let rows = try connection.execute("FETCH \(Self.batch) FROM ledger_scan")
            if rows.count == 0 { break }
            for row in rows.rows { try body(row) }
        }
        try connection.execute("CLOSE ledger_scan")
    }

    /// Key and digest in the first two columns, as `CanonicalReading` has them.
    static func keyAndDigest(_ row: PgRow) throws -> (key: Key, digest: MD5Digest) {
        guard let key = row.text(0), let digest = row.text(1).flatMap({ MD5Digest(hex: $0) }) else {
            throw WorkloadError(
                "a row came without a key or digest: a column of the key is NULL, or is read as NULL. Nothing was "
                    + "changed. Name columns that cannot be NULL as the key.")
        }
        return (Key(text: key), digest)
    }

    /// The canonical columns of the rows with these keys.
    func rows(_ keys: [Key], on connection: isolated PgConnection) throws -> [Key: LogicalRow] {
        guard !keys.isEmpty else { return [:] }
        let answer = try connection.query(reading.rowsWithKeys, [.array(keys.map(\.text))])
        var found: [Key: LogicalRow] = [:]
        for row in answer.rows {
            guard let key = row.text(0) else { continue }
            found[Key(text: key)] = LogicalRow(values: reading.table.columns.indices.map { row.text($0 + 1) })
        }
        return found
    }
}
