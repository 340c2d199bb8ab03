import PgConnection

extension StateStore {
    /// The pages of the source whose chunks are recorded, as few ranges as can be: of a table of 10 TB there are millions of chunks.
    static func copiedPages(of tableID: Int64, on connection: isolated PgConnection) throws -> [Range<Int64>] {
        try connection.query(
            """
            SELECT lower(pages) AS first_page, upper(pages) AS end_page
            FROM (SELECT unnest(range_agg(int8range(first_page, end_page))) AS pages
                  FROM shadow_alter.chunk WHERE table_id = $1) merged
            """, [.int(tableID)]
        ).rows.map { row in
            let first: Int64 = try row.get("first_page")
            return try first..<max(first, row.get("end_page"))
        }
    }
}
