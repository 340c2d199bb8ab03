import PgConnection

/// The files that a shadow has its rows in: one, or one for each partition. A row keeps its page for as long as its file is the same.
struct ShadowFiles: Sendable, Equatable {
    /// They are other files than before, in which no row is where it was.
    struct Changed: Error {}

    /// Which files they are.
    let identity: String
    /// Of the longest.
    let pages: Int64

    static func read(_ green: UInt32, on connection: isolated PgConnection) throws -> Self {
        let row = try connection.query(
            """
            SELECT coalesce(string_agg(c.oid || ':' || pg_relation_filenode(c.oid), ' ' ORDER BY c.oid), '') AS identity,
                coalesce(max(pg_relation_size(c.oid)), 0) / current_setting('block_size')::int AS pages
            FROM (SELECT $1::oid AS relid UNION SELECT relid FROM pg_partition_tree($1::oid::regclass)) t
            JOIN pg_class c ON c.oid = t.relid WHERE c.relkind = 'r'
            """, [.int(green)]
        ).single()
        return Self(identity: try row.get("identity"), pages: try row.get("pages"))
    }
}
