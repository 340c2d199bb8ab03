import PgConnection

/// Neither the table nor a column of it has a security label.
struct SecurityLabelCheck: TableCheck {
    func findings(for table: InspectedTable, on connection: isolated PgConnection) throws -> [Finding] {
        try connection.query(
            """
            SELECT quote_ident(l.provider) AS provider,
                CASE WHEN a.attname IS NULL THEN 'TABLE ' || $2::text ELSE format('COLUMN %s.%I', $2::text, a.attname) END AS object
            FROM pg_catalog.pg_seclabel l
            LEFT JOIN pg_catalog.pg_attribute a ON a.attrelid = l.objoid AND a.attnum = l.objsubid AND l.objsubid > 0
            WHERE l.classoid = 'pg_catalog.pg_class'::regclass AND l.objoid = $1 ORDER BY l.objsubid, l.provider
            """, [.int(table.oid), .text(table.name)]
        ).rows.map { row in
            let provider: String = try row.get("provider")
            let object: String = try row.get("object")
            return Finding(
                .notCarriedOver(
                    code: "security-label", object: table.name,
                    what: "has a security label of the provider \(provider) on \(object)", these: "security labels",
                    remove: "SECURITY LABEL FOR \(provider) ON \(object) IS NULL"))
        }
    }
}
