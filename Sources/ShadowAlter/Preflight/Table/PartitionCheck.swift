import PgConnection

/// The table is not a partition.
struct PartitionCheck: TableCheck {
    func findings(for table: InspectedTable, on connection: isolated PgConnection) throws -> [Finding] {
        try table.query(
            """
            SELECT format('%I.%I', n.nspname, p.relname) AS parent
            FROM pg_catalog.pg_class c JOIN pg_catalog.pg_inherits i ON i.inhrelid = c.oid
            JOIN pg_catalog.pg_class p ON p.oid = i.inhparent JOIN pg_catalog.pg_namespace n ON n.oid = p.relnamespace
            WHERE c.oid = $1 AND c.relispartition
            """, on: connection
        ).map { row in
            let parent: String = try row.get("parent")
            return Finding(
                .notCarriedOver(
                    code: "partition", object: table.name, what: "is a partition of \(parent)",
                    these: "partition membership",
                    remove: "ALTER TABLE \(parent) DETACH PARTITION \(table.name) CONCURRENTLY"))
        }
    }
}
