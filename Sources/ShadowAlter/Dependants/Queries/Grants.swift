import PgConnection

/// The statements that give an object which our role has just made the privileges of another, exactly.
enum Grants {
    static func ofRelation(
        _ oid: UInt32, _ name: QualifiedName, owner: String, on connection: isolated PgConnection
    ) throws -> [String] {
        let list: String? = try connection.query("SELECT relacl::text AS acl FROM pg_class WHERE oid = $1", [.int(oid)])
            .single().optional("acl")
        let columns = try connection.query(
            """
            SELECT attname, attacl::text AS acl FROM pg_attribute
            WHERE attrelid = $1 AND attacl IS NOT NULL AND attnum > 0 AND NOT attisdropped ORDER BY attnum
            """, [.int(oid)])
        let target = "TABLE \(name.sql)"
        return try whole(target, list, owner, schema: name.schema, type: "r", on: connection)
            + (try ofRowType(oid, name, owner: owner, on: connection))
            + columns.rows.flatMap { row in
                let column: String = try row.get("attname")
                return try PrivilegeEntry.read(row.get("acl"), on: connection).flatMap {
                    $0.grant(on: target, column: column, owner: owner)
                }
            }
    }

    /// Of the type that a view, like a table, has; default privileges add nothing to it.
    private static func ofRowType(
        _ oid: UInt32, _ name: QualifiedName, owner: String, on connection: isolated PgConnection
    ) throws -> [String] {
        let list: String? = try connection.query(
            "SELECT typacl::text AS acl FROM pg_type WHERE typrelid = $1", [.int(oid)]
        ).first?.optional("acl")
        guard let list else { return [] }
        return try whole("TYPE \(name.sql)", list, owner, schema: name.schema, type: "T", on: connection)
    }

    static func ofFunction(
        _ oid: UInt32, _ target: String, schema: String, owner: String, on connection: isolated PgConnection
    ) throws -> [String] {
        let list: String? = try connection.query("SELECT proacl::text AS acl FROM pg_proc WHERE oid = $1", [.int(oid)])
            .single().optional("acl")
        return try whole(target, list, owner, schema: schema, type: "f", on: connection)
    }

    /// NULL stands for what PostgreSQL gives by itself, to which default privileges may have added.
    private static func whole(
        _ target: String, _ list: String?, _ owner: String, schema: String, type: String,
        on connection: isolated PgConnection
    ) throws -> [String] {
        let defaults = try connection.query(
            """
            SELECT DISTINCT CASE WHEN e.grantee = 0 THEN 'PUBLIC' ELSE quote_ident(pg_get_userbyid(e.grantee)) END AS grantee
            FROM pg_default_acl d CROSS JOIN LATERAL aclexplode(d.defaclacl) e
            WHERE d.defaclrole = current_user::regrole AND d.defaclobjtype = $1::"char"
                AND d.defaclnamespace IN (0, (SELECT oid FROM pg_namespace WHERE nspname = $2)) AND e.grantee <> d.defaclrole
            ORDER BY 1
            """, [.text(type), .text(schema)]
        ).rows.map { try $0.get("grantee", as: String.self) }
        guard list != nil || !defaults.isEmpty else { return [] }
        let own: String = try connection.query(
            "SELECT acldefault($1::\"char\", $2::regrole::oid)::text AS acl",
            [.text(type), .text(Quoting.identifier(owner))]
        ).single().value()
        let grantees = defaults + ["PUBLIC", Quoting.identifier(owner)].filter { !defaults.contains($0) }
        return grantees.map { "REVOKE ALL ON \(target) FROM \($0)" }
            + (try PrivilegeEntry.read(list ?? own, on: connection).flatMap { $0.grant(on: target, owner: owner) })
    }
}
