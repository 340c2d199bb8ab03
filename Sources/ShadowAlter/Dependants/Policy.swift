import PgConnection

/// A policy of row-level security as the catalogs have it.
struct Policy: Sendable, Equatable {
    var oid: UInt32
    var name: String
    var tableOID: UInt32
    var table: QualifiedName
    /// `ALL`, `SELECT`, …
    var command: String
    var isPermissive: Bool
    /// Quoted, or `PUBLIC`.
    var roles: [String]
    /// The expressions, with the names of relations as the `search_path` of the reading required them.
    var using: String?
    var check: String?
    var comment: String?

    var title: String { "policy \(name) on \(table)" }

    func create(on table: QualifiedName) -> [String] {
        let kind = isPermissive ? "PERMISSIVE" : "RESTRICTIVE"
        let sql =
            "CREATE POLICY \(Quoting.identifier(name)) ON \(table.sql) AS \(kind) FOR \(command) TO \(roles.joined(separator: ", "))"
        let commented = comment.map {
            ["COMMENT ON POLICY \(Quoting.identifier(name)) ON \(table.sql) IS \(Quoting.literal($0))"]
        }
        return [sql + expressions] + (commented ?? [])
    }

    /// Reads the expressions anew, which binds them to what the names in them mean now.
    func rebind() -> String {
        "ALTER POLICY \(Quoting.identifier(name)) ON \(table.sql)\(expressions)"
    }

    var drop: String { "DROP POLICY \(Quoting.identifier(name)) ON \(table.sql)" }

    private var expressions: String {
        (using.map { " USING (\($0))" } ?? "") + (check.map { " WITH CHECK (\($0))" } ?? "")
    }

    /// The tables' own policies, or those of other tables that refer to them; in the order of their names.
    static func read(
        _ tables: [UInt32], ofOthers: Bool = false, on connection: isolated PgConnection
    ) throws -> [Policy] {
        let condition =
            ofOthers
            ? """
            p.polrelid <> ALL ($1::oid[]) AND EXISTS (SELECT FROM pg_depend d
                LEFT JOIN pg_type t ON d.refclassid = 'pg_type'::regclass AND t.oid = d.refobjid
                LEFT JOIN pg_type e ON e.oid = t.typelem AND t.typcategory = 'A'
                WHERE d.classid = 'pg_policy'::regclass AND d.objid = p.oid
                    AND (d.refclassid = 'pg_class'::regclass AND d.refobjid = ANY ($1::oid[])
                        OR t.typrelid = ANY ($1::oid[]) OR e.typrelid = ANY ($1::oid[])))
            """ : "p.polrelid = ANY ($1::oid[])"
        return try connection.query(
            """
            SELECT p.oid, p.polname, p.polrelid, n.nspname, c.relname, p.polpermissive,
                CASE p.polcmd WHEN 'r' THEN 'SELECT' WHEN 'a' THEN 'INSERT' WHEN 'w' THEN 'UPDATE' WHEN 'd' THEN 'DELETE' ELSE 'ALL' END AS command,
                ARRAY(SELECT CASE u.role WHEN 0 THEN 'PUBLIC' ELSE quote_ident(pg_get_userbyid(u.role)) END
                    FROM unnest(p.polroles) WITH ORDINALITY u (role, position) ORDER BY u.position) AS roles,
                pg_get_expr(p.polqual, p.polrelid) AS qual, pg_get_expr(p.polwithcheck, p.polrelid) AS with_check,
                obj_description(p.oid, 'pg_policy') AS comment
            FROM pg_policy p JOIN pg_class c ON c.oid = p.polrelid JOIN pg_namespace n ON n.oid = c.relnamespace
            WHERE \(condition) ORDER BY n.nspname, c.relname, p.polname
            """, [.array(tables.map { String($0) })]
        ).rows.map { row in
            Policy(
                oid: try row.get("oid"), name: try row.get("polname"), tableOID: try row.get("polrelid"),
                table: QualifiedName(schema: try row.get("nspname"), name: try row.get("relname")),
                command: try row.get("command"), isPermissive: try row.get("polpermissive"),
                roles: try row.get("roles"),
                using: try row.optional("qual"), check: try row.optional("with_check"),
                comment: try row.optional("comment"))
        }
    }
}
