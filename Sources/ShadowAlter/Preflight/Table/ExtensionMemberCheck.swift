import PgConnection

/// The table does not belong to an extension.
struct ExtensionMemberCheck: TableCheck {
    func findings(for table: InspectedTable, on connection: isolated PgConnection) throws -> [Finding] {
        try table.query(
            """
            SELECT quote_ident(e.extname) AS extension
            FROM pg_catalog.pg_depend d JOIN pg_catalog.pg_extension e ON e.oid = d.refobjid
            WHERE d.classid = 'pg_catalog.pg_class'::regclass AND d.objid = $1 AND d.deptype = 'e'
                AND d.refclassid = 'pg_catalog.pg_extension'::regclass
            """, on: connection
        ).map { row in
            let name: String = try row.get("extension")
            return Finding(
                Refusal(
                    code: "extension-member", object: table.name, what: "belongs to the extension \(name)",
                    why: "its definition is the extension's; the next update of the extension expects it unchanged",
                    fix:
                        "ALTER EXTENSION \(name) DROP TABLE \(table.name);  -- if it is to be the application's from now on"
                ))
        }
    }
}
