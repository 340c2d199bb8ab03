import PgConnection

/// The role may create schemas and publications.
struct DatabasePrivilegeCheck: ServerCheck {
    func refusals(on connection: isolated PgConnection) throws -> [Refusal] {
        let row = try connection.query(
            """
            SELECT has_database_privilege(current_database(), 'CREATE') AS may,
                quote_ident(current_database()) AS database, quote_ident(current_user) AS role
            """
        ).single()
        guard try !row.get("may", as: Bool.self) else { return [] }
        let database: String = try row.get("database")
        let role: String = try row.get("role")
        return [
            Refusal(
                code: "no-create-on-database", object: "database \(database)",
                what: "role \(role) has no CREATE privilege on it",
                why: "a migration creates schemas for the new and the old table, and a publication",
                fix: "GRANT CREATE ON DATABASE \(database) TO \(role);")
        ]
    }
}
