import PgConnection

/// Copies one chunk after the other, each in a short transaction of its own that also records it.
struct CopyLane: Sendable {
    /// The source is another physical file than the one that the chunk list was made for.
    struct FileChanged: Error {}

    let connection: PgConnection
    let table: TableRecord
    let file: SourceFile

    /// How long a chunk waits for a lock of somebody else's before it looks around.
    static let lockTimeout = "2s"

    /// Returns how many rows the chunk had.
    ///
    /// VACUUM FULL, CLUSTER and TRUNCATE move or remove rows without an event that would make their keys dirty; each gives the table a
    /// new file. Under ACCESS SHARE none of them can happen, so that the comparison holds for the whole chunk.
    func copy(_ pages: Range<Int64>) async throws -> Int64 {
        let sql = RefreshSQL(table)
        return try await connection.transaction { [table, file] connection in
            try connection.execute("SET LOCAL lock_timeout = '\(Self.lockTimeout)'")
            try connection.execute("LOCK TABLE ONLY \(table.plan.source.sql) IN ACCESS SHARE MODE")
            let filenode: UInt32? = try connection.query(
                "SELECT pg_relation_filenode($1::oid) AS filenode", [.int(table.plan.sourceOID)]
            ).single().optional("filenode")
            try SourceIdentity(plan: table.plan).check(on: connection)
            guard filenode == file.filenode else { throw FileChanged() }
            let rows = try connection.execute(sql.insert(pages: pages.lowerBound, pages.upperBound)).affectedRows
            try Failpoint.chunkInserted.pass()
            try connection.query(
                "INSERT INTO shadow_alter.chunk (table_id, first_page, end_page, rows) VALUES ($1, $2, $3, $4)",
                [.int(table.id), .int(pages.lowerBound), .int(pages.upperBound), .int(rows)])
            return Int64(rows)
        }
    }
}
