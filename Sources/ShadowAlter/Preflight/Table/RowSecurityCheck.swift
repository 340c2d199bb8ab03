import PgConnection

/// Row-level security is off, and there are no policies.
struct RowSecurityCheck: TableCheck {
    func findings(for table: InspectedTable, on connection: isolated PgConnection) throws -> [Finding] {
        try flags(table, on: connection) + policies(table, on: connection)
    }

    private func flags(_ table: InspectedTable, on connection: isolated PgConnection) throws -> [Finding] {
        let row = try connection.query(
            "SELECT relrowsecurity AS enabled, relforcerowsecurity AS forced FROM pg_catalog.pg_class WHERE oid = $1",
            [.int(table.oid)]
        ).single()
        let enabled: Bool = try row.get("enabled")
        let forced: Bool = try row.get("forced")
        guard enabled || forced else { return [] }
        let off = (enabled ? ["DISABLE"] : []) + (forced ? ["NO FORCE"] : [])
        return [
            Finding(
                .notCarriedOver(
                    code: "row-security", object: table.name,
                    what: "has row-level security \(enabled ? "enabled" : "forced")", these: "row-level security",
                    remove: "ALTER TABLE \(table.name) "
                        + off.map { "\($0) ROW LEVEL SECURITY" }.joined(separator: ", ")))
        ]
    }

    private func policies(_ table: InspectedTable, on connection: isolated PgConnection) throws -> [Finding] {
        try table.query(
            """
            SELECT 'pg_catalog.pg_policy'::regclass::oid AS classid, oid AS objid, quote_ident(polname) AS name
            FROM pg_catalog.pg_policy WHERE polrelid = $1 ORDER BY polname
            """, on: connection
        ).map { row in
            let name: String = try row.get("name")
            return Finding(
                .notCarriedOver(
                    code: "policy", object: table.name, what: "has the policy \(name)", these: "policies",
                    remove: "DROP POLICY \(name) ON \(table.name)"), covers: [try CatalogAddress(row)])
        }
    }
}
