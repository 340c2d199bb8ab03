import PgConnection

/// No function or procedure is bound to the table, its columns or its row type: by an argument, its result or its SQL
/// body.
struct FunctionCheck: TableCheck {
    func findings(for table: InspectedTable, on connection: isolated PgConnection) throws -> [Finding] {
        try table.query(
            TableFamily.with + """
                SELECT DISTINCT d.classid, d.objid, i.identity,
                    CASE p.prokind WHEN 'p' THEN 'procedure' WHEN 'a' THEN 'aggregate' ELSE 'function' END AS kind
                FROM dependent d JOIN pg_catalog.pg_proc p ON p.oid = d.objid
                CROSS JOIN LATERAL pg_catalog.pg_identify_object(d.classid, d.objid, 0) i
                WHERE d.classid = 'pg_catalog.pg_proc'::regclass AND NOT (\(TableFamily.isPartOfDependent))
                ORDER BY i.identity
                """, on: connection
        ).map { row in
            let identity: String = try row.get("identity")
            let kind: String = try row.get("kind")
            return Finding(
                .notCarriedOver(
                    code: "function", object: table.name,
                    what: "the \(kind) \(identity) is bound to it or to its row type",
                    these: "functions that depend on a table", remove: "DROP \(kind.uppercased()) \(identity)"),
                covers: [try CatalogAddress(row)])
        }
    }
}
