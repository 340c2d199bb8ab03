import PgConnection

/// What somebody may do with an object by the grant of somebody: a part of an access list.
struct PrivilegeEntry: Sendable, Equatable {
    var grantor: String
    /// Quoted.
    var grantee: String
    var isGrantable: Bool
    var privileges: [String]

    /// One entry per grantor, grantee and grant option, in the order of the list.
    static func read(_ list: String, on connection: isolated PgConnection) throws -> [PrivilegeEntry] {
        try connection.query(
            """
            SELECT CASE WHEN grantee = 0 THEN 'PUBLIC' ELSE quote_ident(pg_get_userbyid(grantee)) END AS grantee, is_grantable,
                pg_get_userbyid(grantor) AS grantor, array_agg(privilege_type ORDER BY privilege_type) AS privileges
            FROM aclexplode(nullif($1, '{}')::aclitem[]) WITH ORDINALITY e(grantor, grantee, privilege_type, is_grantable, position)
            GROUP BY grantor, grantee, is_grantable ORDER BY min(position)
            """, [.text(list)]
        ).rows.map {
            PrivilegeEntry(
                grantor: try $0.get("grantor"), grantee: try $0.get("grantee"), isGrantable: try $0.get("is_grantable"),
                privileges: try $0.get("privileges"))
        }
    }

    /// By the one who granted it: whoever passes a privilege on by a grant option is its grantor, and is needed to revoke it.
    func grant(on target: String, column: String? = nil, owner: String) -> [String] {
        let list = privileges.map { $0 + (column.map { " (\(Quoting.identifier($0)))" } ?? "") }
        let statement =
            "GRANT \(list.joined(separator: ", ")) ON \(target) TO \(grantee)"
            + (isGrantable ? " WITH GRANT OPTION" : "")
        return grantor == owner
            ? [statement] : ["SET LOCAL ROLE \(Quoting.identifier(grantor))", statement, "RESET ROLE"]
    }
}
