import PgConnection

/// The relation is an ordinary table, or the root of a partitioned one.
struct RelationKindCheck: TableCheck {
    func findings(for table: InspectedTable, on connection: isolated PgConnection) throws -> [Finding] {
        if table.kind == "p" { return try partitioned(table, on: connection) }
        guard let (code, what, fix) = Self.verdict(on: table.kind) else { return [] }
        return [
            Finding(
                Refusal(
                    code: code, object: table.name, what: what, why: "this version migrates tables only", fix: fix))
        ]
    }

    private func partitioned(_ table: InspectedTable, on connection: isolated PgConnection) throws -> [Finding] {
        try table.query(
            """
            SELECT format('%I.%I', n.nspname, p.relname) AS root
            FROM pg_catalog.pg_class c JOIN pg_catalog.pg_class p ON p.oid = pg_partition_root(c.oid)
            JOIN pg_catalog.pg_namespace n ON n.oid = p.relnamespace WHERE c.oid = $1 AND c.relispartition
            """, on: connection
        ).map { row in
            let root: String = try row.get("root")
            return Finding(
                Refusal(
                    code: "partitioned-partition", object: table.name,
                    what: "is a partitioned table and itself a partition of \(root)",
                    why: "this version exchanges a whole tree, or a single partition that holds rows",
                    fix: "name the root (--table \(root)), or one of its partitions that hold rows"))
        }
    }

    /// For each `pg_class.relkind` except `r` and `p`; nil for these.
    private static func verdict(on kind: String) -> (code: String, what: String, fix: String)? {
        switch kind {
        case "r", "p": nil
        case "v": ("view", "is a view", "name the table behind it; a view is replaced by CREATE OR REPLACE VIEW")
        case "m":
            (
                "materialized-view", "is a materialised view",
                "name the table behind it; a materialised view is dropped and created anew"
            )
        case "f": ("foreign-table", "is a foreign table", "migrate the table on the server where its rows are")
        case "S": ("sequence", "is a sequence", "name the table that uses it; a sequence is changed by ALTER SEQUENCE")
        case "i", "I": ("index", "is an index", "name its table; an index is rebuilt by REINDEX CONCURRENTLY")
        case "c": ("composite-type", "is a composite type", "name a table; a type is changed by ALTER TYPE")
        case "t": ("toast-table", "is the TOAST table of another table", "name that table")
        default: ("not-a-table", "is a relation of the unknown kind \(kind)", "name an ordinary table")
        }
    }
}
