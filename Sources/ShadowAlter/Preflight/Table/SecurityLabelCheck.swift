import PgConnection

/// Neither the table, nor a column of it, its row type, its sequences or anything else that is made anew with it has a security label.
struct SecurityLabelCheck: TableCheck {
    func findings(for table: InspectedTable, on connection: isolated PgConnection) throws -> [Finding] {
        try table.query(
            """
            SELECT quote_ident(l.provider) AS provider, replace(upper(i.type), 'TABLE COLUMN', 'COLUMN') || ' ' || i.identity AS object,
                i.type IN ('table', 'table column', 'type', 'sequence') AS is_supported,
                format('classoid = %s AND objoid = %s AND objsubid = %s', l.classoid, l.objoid, l.objsubid) AS row
            FROM (\(CatalogFingerprint.belongings())) b JOIN pg_catalog.pg_seclabel l USING (classoid, objoid)
            CROSS JOIN LATERAL pg_identify_object(l.classoid, l.objoid, l.objsubid) i
            ORDER BY l.classoid, l.objoid, l.objsubid, l.provider
            """, on: connection
        ).map { row in
            let provider: String = try row.get("provider")
            let object: String = try row.get("object")
            return Finding(
                .notCarriedOver(
                    code: "security-label", object: table.name,
                    what: "has a security label of the provider \(provider) on \(object)", these: "security labels",
                    // Where SECURITY LABEL gives none, it takes none either.
                    remove: try row.get("is_supported", as: Bool.self)
                        ? "SECURITY LABEL FOR \(provider) ON \(object) IS NULL"
                        : "DELETE FROM pg_seclabel WHERE \(try row.get("row", as: String.self))"))
        }
    }
}
