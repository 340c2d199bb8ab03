import PgConnection

/// A new table has no replica identity before it has its indexes, and PostgreSQL lets nobody delete from a table without one when a publication of
/// all tables is there. Until the transaction ends, whole rows are one.
struct StandInIdentity: Sendable {
    let give: String
    let takeBack: String

    /// Of the table, or of all that is below a partitioned one; none where nothing publishes deletes of all tables.
    static func read(_ table: UInt32, on connection: isolated PgConnection) throws -> [StandInIdentity] {
        try connection.query(
            """
            SELECT format('ALTER TABLE %I.%I REPLICA IDENTITY ', n.nspname, c.relname) AS alter,
                CASE c.relreplident WHEN 'n' THEN 'NOTHING' ELSE 'DEFAULT' END AS identity
            FROM (SELECT $1::oid AS relid UNION SELECT relid FROM pg_partition_tree($1::oid::regclass)) t
            JOIN pg_class c ON c.oid = t.relid JOIN pg_namespace n ON n.oid = c.relnamespace
            WHERE c.relkind = 'r' AND c.relreplident IN ('d', 'n')
                AND EXISTS (SELECT FROM pg_publication WHERE puballtables AND pubdelete) ORDER BY c.oid
            """, [.int(table)]
        ).rows.map { row in
            let alter: String = try row.get("alter")
            let identity: String = try row.get("identity")
            return StandInIdentity(give: alter + "FULL", takeBack: alter + identity)
        }
    }
}
