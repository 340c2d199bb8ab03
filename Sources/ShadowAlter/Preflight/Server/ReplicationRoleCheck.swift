import PgConnection

/// The role may open a replication connection and create a slot.
struct ReplicationRoleCheck: ServerCheck {
    func refusals(on connection: isolated PgConnection) throws -> [Refusal] {
        // Amazon's RDS and Aurora do not give the attribute away; there the membership in rds_replication replaces it.
        let row = try connection.query(
            """
            SELECT quote_ident(r.rolname) AS role, r.rolsuper OR r.rolreplication OR EXISTS (
                    SELECT FROM pg_catalog.pg_roles m
                    WHERE m.rolname = 'rds_replication' AND pg_has_role(r.oid, m.oid, 'MEMBER')) AS may,
                EXISTS (SELECT FROM pg_catalog.pg_roles WHERE rolname = 'rds_replication') AS rds
            FROM pg_catalog.pg_roles r WHERE r.rolname = session_user
            """
        ).single()
        guard try !row.get("may", as: Bool.self) else { return [] }
        let role: String = try row.get("role")
        return [
            Refusal(
                code: "role-cannot-replicate", object: "role \(role)", what: "may not replicate",
                why: "a migration follows the table's writes through a replication connection and a slot",
                fix: try row.get("rds") ? "GRANT rds_replication TO \(role);" : "ALTER ROLE \(role) REPLICATION;")
        ]
    }
}
