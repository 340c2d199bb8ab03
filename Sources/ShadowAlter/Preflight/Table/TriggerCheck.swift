import PgConnection

/// The table has no trigger of the user's, enabled or not. A partitioned table's triggers on its partitions come and go with the attachment.
struct TriggerCheck: TableCheck {
    func findings(for table: InspectedTable, on connection: isolated PgConnection) throws -> [Finding] {
        try table.query(
            """
            SELECT 'pg_catalog.pg_trigger'::regclass::oid AS classid, oid AS objid, quote_ident(tgname) AS name,
                CASE WHEN tgconstraint <> 0 THEN 'constraint trigger' ELSE 'trigger' END
                    || CASE tgenabled WHEN 'D' THEN ' (disabled)' ELSE '' END AS kind
            FROM pg_catalog.pg_trigger WHERE tgrelid = $1 AND NOT tgisinternal AND tgparentid = 0 ORDER BY tgname
            """, on: connection
        ).map { row in
            let name: String = try row.get("name")
            let kind: String = try row.get("kind")
            return Finding(
                .notCarriedOver(
                    code: "trigger", object: table.name, what: "has the \(kind) \(name)", these: "triggers",
                    remove: "DROP TRIGGER \(name) ON \(table.name)"), covers: [try CatalogAddress(row)])
        }
    }
}
