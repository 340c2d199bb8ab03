import PgConnection

/// The role may do what only the table's owner may, and may give the new table to the same owner.
struct OwnershipCheck: TableCheck {
    func findings(for table: InspectedTable, on connection: isolated PgConnection) throws -> [Finding] {
        // From 16 on, a membership can come without the right to SET ROLE, which ALTER … OWNER TO needs.
        let become = connection.serverVersion.major >= 16 ? "SET" : "MEMBER"
        let row = try connection.query(
            """
            SELECT quote_ident(o.rolname) AS owner, quote_ident(current_user) AS role,
                pg_has_role(c.relowner, 'USAGE') AS owns, pg_has_role(c.relowner, '\(become)') AS can_become
            FROM pg_catalog.pg_class c JOIN pg_catalog.pg_roles o ON o.oid = c.relowner WHERE c.oid = $1
            """, [.int(table.oid)]
        ).single()
        let owner: String = try row.get("owner")
        let role: String = try row.get("role")
        let owns: Bool = try row.get("owns")
        let canBecome: Bool = try row.get("can_become")
        guard !owns || !canBecome else { return [] }
        let options = connection.serverVersion.major >= 16 ? " WITH INHERIT TRUE, SET TRUE" : ""
        return [
            Finding(
                Refusal(
                    code: "not-owner", object: table.name,
                    what: owns
                        ? "belongs to \(owner), and role \(role) may not SET ROLE \(owner)"
                        : "belongs to \(owner), whose privileges role \(role) does not have",
                    why: "only its owner can replace a table, and the new one is to have the same owner",
                    fix: "connect as \(owner) or as a superuser, or GRANT \(owner) TO \(role)\(options);"))
        ]
    }
}
