import PgConnection

/// A partition can be detached from its partitioned table, and another one attached in its place, without reading rows under the lock.
struct PartitionCheck: TableCheck {
    func findings(for table: InspectedTable, on connection: isolated PgConnection) throws -> [Finding] {
        try pending(table, on: connection) + ownership(of: table, on: connection)
            + foreignKeys(of: table, on: connection)
    }

    private func pending(_ table: InspectedTable, on connection: isolated PgConnection) throws -> [Finding] {
        try table.query(
            """
            SELECT format('%I.%I', n.nspname, p.relname) AS parent
            FROM pg_catalog.pg_inherits i JOIN pg_catalog.pg_class p ON p.oid = i.inhparent
            JOIN pg_catalog.pg_namespace n ON n.oid = p.relnamespace
            WHERE i.inhrelid = $1 AND i.inhdetachpending
            """, on: connection
        ).map { row in
            let parent: String = try row.get("parent")
            return Finding(
                Refusal(
                    code: "detach-pending", object: table.name, what: "is being detached from \(parent)",
                    why: "DETACH PARTITION … CONCURRENTLY was interrupted, or is still running",
                    fix: "ALTER TABLE \(parent) DETACH PARTITION \(table.name) FINALIZE;"))
        }
    }

    /// ATTACH and DETACH take the partitioned table's owner; the default partition is locked.
    private func ownership(of table: InspectedTable, on connection: isolated PgConnection) throws -> [Finding] {
        try table.query(
            """
            SELECT format('%I.%I', n.nspname, c.relname) AS name, quote_ident(current_user) AS role,
                quote_ident(pg_get_userbyid(c.relowner)) AS owner
            FROM pg_catalog.pg_inherits i JOIN pg_catalog.pg_class l ON l.oid = i.inhrelid AND l.relispartition
            LEFT JOIN pg_catalog.pg_partitioned_table k ON k.partrelid = i.inhparent
            JOIN pg_catalog.pg_class c ON c.oid IN (i.inhparent, k.partdefid)
            JOIN pg_catalog.pg_namespace n ON n.oid = c.relnamespace
            WHERE i.inhrelid = $1 AND c.oid <> $1 AND NOT pg_has_role(c.relowner, 'USAGE') ORDER BY c.oid
            """, on: connection
        ).map { row in
            let name: String = try row.get("name")
            let owner: String = try row.get("owner")
            let role: String = try row.get("role")
            return Finding(
                Refusal(
                    code: "partition-owner", object: table.name,
                    what:
                        "is a partition beside or below \(name) of \(owner), whose privileges role \(role) does not have",
                    why: "the partition is exchanged by DETACH and ATTACH, which take the owner's privileges",
                    fix: "connect as \(owner) or as a superuser, or GRANT \(owner) TO \(role);"))
        }
    }

    private func foreignKeys(of table: InspectedTable, on connection: isolated PgConnection) throws -> [Finding] {
        try table.query(
            """
            SELECT quote_ident(k.conname) AS name, k.conrelid IN (SELECT relid FROM pg_partition_ancestors($1)) AS is_outbound,
                format('%I.%I', fn.nspname, f.relname) AS source, format('%I.%I', tn.nspname, t.relname) AS target,
                (SELECT format('%I.%I', n.nspname, r.relname) FROM pg_catalog.pg_class r
                 JOIN pg_catalog.pg_namespace n ON n.oid = r.relnamespace WHERE r.oid = pg_partition_root($1)) AS root
            FROM pg_catalog.pg_constraint k
            JOIN pg_catalog.pg_class f ON f.oid = k.conrelid JOIN pg_catalog.pg_namespace fn ON fn.oid = f.relnamespace
            JOIN pg_catalog.pg_class t ON t.oid = k.confrelid JOIN pg_catalog.pg_namespace tn ON tn.oid = t.relnamespace
            WHERE k.contype = 'f' AND k.conparentid = 0
                AND EXISTS (SELECT FROM pg_partition_ancestors($1) a WHERE a.relid <> $1 AND a.relid IN (k.conrelid, k.confrelid))
            ORDER BY is_outbound DESC, source, k.conname
            """, on: connection
        ).map { row in
            let name: String = try row.get("name")
            let source: String = try row.get("source")
            let target: String = try row.get("target")
            let outbound: Bool = try row.get("is_outbound")
            return Finding(
                Refusal(
                    code: outbound ? "partition-foreign-key" : "partition-referenced", object: table.name,
                    what: "is a partition, and \(source) has the foreign key \(name) to \(target)",
                    why: outbound
                        ? "when a partition is attached, PostgreSQL looks up every row of it in \(target), under the lock"
                        : "when a partition is detached, PostgreSQL makes sure, under the lock, that no row of \(source) refers to it; "
                            + "and some do",
                    fix: "migrate the whole partitioned table: --table \(try row.get("root", as: String.self))"))
        }
    }
}
