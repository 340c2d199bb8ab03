import PgConnection

/// No foreign key leads from the table or to it.
struct ForeignKeyCheck: TableCheck {
    func findings(for table: InspectedTable, on connection: isolated PgConnection) throws -> [Finding] {
        // A partitioned referencing table has a constraint for each partition beside its own, which is the one to drop. Those that a partition
        // has from its partitioned table are PartitionCheck's.
        try table.query(
            """
            SELECT 'pg_catalog.pg_constraint'::regclass::oid AS classid, k.oid AS objid, quote_ident(k.conname) AS name,
                k.conrelid = $1 AS is_outbound, k.conrelid = k.confrelid AS is_self,
                format('%I.%I', fn.nspname, f.relname) AS source, format('%I.%I', tn.nspname, t.relname) AS target
            FROM pg_catalog.pg_constraint k
            JOIN pg_catalog.pg_class f ON f.oid = k.conrelid JOIN pg_catalog.pg_namespace fn ON fn.oid = f.relnamespace
            JOIN pg_catalog.pg_class t ON t.oid = k.confrelid JOIN pg_catalog.pg_namespace tn ON tn.oid = t.relnamespace
            WHERE k.contype = 'f' AND $1 IN (k.conrelid, k.confrelid)
                AND (k.conparentid = 0 OR NOT EXISTS (
                    SELECT FROM pg_catalog.pg_constraint p
                    WHERE p.oid = k.conparentid AND ($1 IN (p.conrelid, p.confrelid) OR EXISTS (
                        SELECT FROM pg_partition_ancestors($1) a WHERE a.relid IN (p.conrelid, p.confrelid)))))
            ORDER BY is_outbound DESC, source, k.conname
            """, on: connection
        ).map { row in
            let name: String = try row.get("name")
            let source: String = try row.get("source")
            let target: String = try row.get("target")
            let outbound: Bool = try row.get("is_outbound")
            let what =
                try row.get("is_self")
                ? "has the foreign key \(name) to itself"
                : outbound ? "has the foreign key \(name) to \(target)" : "\(source) has the foreign key \(name) to it"
            return Finding(
                .notCarriedOver(
                    code: outbound ? "foreign-key" : "referenced", object: table.name, what: what,
                    these: "foreign keys",
                    remove: "ALTER TABLE \(source) DROP CONSTRAINT \(name)"), covers: [try CatalogAddress(row)])
        }
    }
}
