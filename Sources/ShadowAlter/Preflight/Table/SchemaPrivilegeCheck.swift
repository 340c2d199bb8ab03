import PgConnection

/// The role may put the new table where the old one was.
struct SchemaPrivilegeCheck: TableCheck {
    func findings(for table: InspectedTable, on connection: isolated PgConnection) throws -> [Finding] {
        let row = try connection.query(
            """
            SELECT has_schema_privilege($1::oid, 'CREATE') AND has_schema_privilege($1::oid, 'USAGE') AS may,
                quote_ident(current_user) AS role
            """, [.int(table.schemaOID)]
        ).single()
        guard try !row.get("may", as: Bool.self) else { return [] }
        let role: String = try row.get("role")
        return [
            Finding(
                Refusal(
                    code: "no-create-in-schema", object: table.name,
                    what: "role \(role) may not create tables in its schema \(table.schema)",
                    why: "at cut-over the new table moves into this schema, which takes USAGE and CREATE",
                    fix: "GRANT USAGE, CREATE ON SCHEMA \(table.schema) TO \(role);"))
        ]
    }
}
