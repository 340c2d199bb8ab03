import PgConnection

/// Row-level security hides no row from our role, neither in the old table nor in the new one.
struct RowSecurityCheck: TableCheck {
    func findings(for table: InspectedTable, on connection: isolated PgConnection) throws -> [Finding] {
        try Self.refusal(table.oid, of: table.name, on: connection).map { [Finding($0)] } ?? []
    }

    /// nil when the role is above the policies of this relation.
    static func refusal(
        _ oid: UInt32, of name: String, on connection: isolated PgConnection
    ) throws -> Refusal? {
        let row = try connection.query(
            """
            SELECT row_security_active(oid) AS active, relforcerowsecurity AS forced, quote_ident(current_user) AS role,
                quote_ident(pg_get_userbyid(relowner)) AS owner
            FROM pg_catalog.pg_class WHERE oid = $1
            """, [.int(oid)]
        ).single()
        guard try row.get("active") else { return nil }
        let role: String = try row.get("role")
        let owner: String = try row.get("owner")
        return Refusal(
            code: "row-security", object: name,
            what: "has row-level security, which role \(role) is subject to"
                + (try row.get("forced") ? ", as it is forced" : ""),
            why: "the copy would miss the rows that the policies hide",
            fix: try row.get("forced")
                ? "ALTER ROLE \(role) BYPASSRLS;  -- or connect as a superuser"
                : "connect as \(owner), as a superuser, or as a role with BYPASSRLS")
    }
}
