import PgConnection

/// How large a table is when a pass over its pages begins.
struct TableExtent: Sendable {
    /// Of its own file.
    let pages: Int64
    /// With its TOAST, in bytes.
    let size: Int64

    static func read(_ table: UInt32, on connection: isolated PgConnection) throws -> Self {
        let row = try connection.query(
            """
            SELECT coalesce(pg_relation_size($1::oid) / current_setting('block_size')::int, 0) AS pages,
                coalesce(pg_table_size($1::oid), 0) AS size
            """, [.int(table)]
        ).single()
        return Self(pages: try row.get("pages"), size: try row.get("size"))
    }

    /// How many pages have about so many bytes, the TOAST of their rows included: a few pages of rows with long values may have gigabytes.
    func pages(holding bytes: Int64, atMost limit: Int64) -> Int64 {
        guard pages > 0, size > 0 else { return limit }
        return max(1, min(limit, Int64(min(Double(bytes) * Double(pages) / Double(size), Double(limit)))))
    }
}
