import PgConnection

/// Everything below a partitioned table can be copied, and stays where it is.
struct TreeCheck: TableCheck {
    func findings(for table: InspectedTable, on connection: isolated PgConnection) throws -> [Finding] {
        try table.query(
            """
            -- pg_partition_tree leaves out what is being detached.
            WITH RECURSIVE tree AS (
                SELECT i.* FROM pg_catalog.pg_inherits i WHERE i.inhparent = $1
                UNION ALL SELECT i.* FROM pg_catalog.pg_inherits i JOIN tree t ON i.inhparent = t.inhrelid)
            SELECT format('%I.%I', n.nspname, c.relname) AS partition, c.relkind = 'f' AS is_foreign,
                format('%I.%I', pn.nspname, p.relname) AS parent, i.inhdetachpending AS is_pending
            FROM tree i JOIN pg_catalog.pg_class c ON c.oid = i.inhrelid
            JOIN pg_catalog.pg_namespace n ON n.oid = c.relnamespace
            JOIN pg_catalog.pg_class p ON p.oid = i.inhparent JOIN pg_catalog.pg_namespace pn ON pn.oid = p.relnamespace
            WHERE c.relkind = 'f' OR i.inhdetachpending ORDER BY 1
            """, on: connection
        ).map { row in
            let partition: String = try row.get("partition")
            let parent: String = try row.get("parent")
            if try row.get("is_pending") {
                return Finding(
                    Refusal(
                        code: "detach-pending", object: table.name,
                        what: "its partition \(partition) is being detached",
                        why: "DETACH PARTITION … CONCURRENTLY was interrupted, or is still running",
                        fix: "ALTER TABLE \(parent) DETACH PARTITION \(partition) FINALIZE;"))
            }
            return Finding(
                Refusal(
                    code: "foreign-partition", object: table.name,
                    what: "its partition \(partition) is a foreign table",
                    why: "its rows are on another server, and there is no change stream of them",
                    fix:
                        "ALTER TABLE \(parent) DETACH PARTITION \(partition);  -- and ATTACH it again afterwards; or migrate the partitions "
                        + "one by one"))
        }
    }
}
