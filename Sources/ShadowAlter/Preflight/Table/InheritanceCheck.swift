import PgConnection

/// The table neither inherits nor is inherited from.
struct InheritanceCheck: TableCheck {
    func findings(for table: InspectedTable, on connection: isolated PgConnection) throws -> [Finding] {
        try parents(of: table, on: connection) + children(of: table, on: connection)
    }

    private func parents(of table: InspectedTable, on connection: isolated PgConnection) throws -> [Finding] {
        try table.query(
            """
            SELECT format('%I.%I', n.nspname, p.relname) AS parent
            FROM pg_catalog.pg_inherits i
            JOIN pg_catalog.pg_class p ON p.oid = i.inhparent JOIN pg_catalog.pg_namespace n ON n.oid = p.relnamespace
            WHERE i.inhrelid = $1 AND p.relkind <> 'p' ORDER BY i.inhseqno
            """, on: connection
        ).map { row in
            let parent: String = try row.get("parent")
            return Finding(
                .notCarriedOver(
                    code: "inherits", object: table.name, what: "inherits from \(parent)", these: "inheritance",
                    remove: "ALTER TABLE \(table.name) NO INHERIT \(parent)"))
        }
    }

    private func children(of table: InspectedTable, on connection: isolated PgConnection) throws -> [Finding] {
        try table.query(
            """
            SELECT format('%I.%I', n.nspname, c.relname) AS child, 'pg_catalog.pg_class'::regclass::oid AS classid,
                c.oid AS objid
            FROM pg_catalog.pg_inherits i
            JOIN pg_catalog.pg_class c ON c.oid = i.inhrelid JOIN pg_catalog.pg_namespace n ON n.oid = c.relnamespace
            WHERE i.inhparent = $1 ORDER BY 1
            """, on: connection
        ).map { row in
            let child: String = try row.get("child")
            return Finding(
                .notCarriedOver(
                    code: "inherited-from", object: table.name, what: "\(child) inherits from it", these: "inheritance",
                    remove: "ALTER TABLE \(child) NO INHERIT \(table.name)"), covers: [try CatalogAddress(row)])
        }
    }
}
