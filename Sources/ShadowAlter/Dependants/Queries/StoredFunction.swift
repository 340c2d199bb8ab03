import PgConnection

/// A function or procedure as the catalogs have it.
struct StoredFunction: Sendable, Equatable {
    var oid: UInt32
    var name: QualifiedName
    var owner: String
    /// `pg_proc.prokind`
    var kind: String
    /// Whether its body is a parsed query.
    var isParsed: Bool
    /// The arguments that tell it from others of its name, ready for a statement under an empty `search_path`.
    var arguments: String
    /// The relations whose row types are among the types of its arguments and its result.
    var signature: Set<UInt32>
    var comment: String?
    /// `ALTER ROUTINE … DEPENDS ON EXTENSION`
    var extensions: [String]

    var sql: String { "\(name.sql)(\(arguments))" }

    static func read(_ oid: UInt32, on connection: isolated PgConnection) throws -> StoredFunction {
        let row = try connection.query(
            """
            SELECT n.nspname, p.proname, pg_get_userbyid(p.proowner) AS owner, p.prokind, p.prosqlbody IS NOT NULL AS parsed, pg_get_function_identity_arguments(p.oid) AS arguments,
                ARRAY(SELECT DISTINCT coalesce(nullif(t.typrelid, 0), e.typrelid)::text
                    FROM unnest(p.proargtypes::oid[] || p.proallargtypes || p.prorettype) a (oid) JOIN pg_type t ON t.oid = a.oid
                    LEFT JOIN pg_type e ON e.typarray = t.oid WHERE coalesce(nullif(t.typrelid, 0), e.typrelid, 0) <> 0) AS signature,
                ARRAY(SELECT e.extname::text FROM pg_depend d JOIN pg_extension e ON e.oid = d.refobjid
                    WHERE d.classid = 'pg_proc'::regclass AND d.objid = p.oid AND d.refclassid = 'pg_extension'::regclass
                        AND d.deptype = 'x' ORDER BY 1) AS extensions,
                obj_description(p.oid, 'pg_proc') AS comment
            FROM pg_proc p JOIN pg_namespace n ON n.oid = p.pronamespace WHERE p.oid = $1
            """, [.int(oid)]
        ).single()
        return StoredFunction(
            oid: oid, name: QualifiedName(schema: try row.get("nspname"), name: try row.get("proname")),
            owner: try row.get("owner"), kind: try row.get("prokind"), isParsed: try row.get("parsed"),
            arguments: try row.get("arguments"),
            signature: Set(try row.get("signature", as: [String].self).compactMap { UInt32($0) }),
            comment: try row.optional("comment"), extensions: try row.get("extensions"))
    }

    /// CREATE OR REPLACE, with names qualified as the session's `search_path` makes it necessary.
    ///
    /// - Parameter schema: another one than its own.
    func definition(in schema: String? = nil, on connection: isolated PgConnection) throws -> String {
        let row = try connection.query(
            """
            SELECT pg_get_functiondef($1::oid) AS definition,
                format('CREATE OR REPLACE %s %I.%I(', CASE $2 WHEN 'p' THEN 'PROCEDURE' ELSE 'FUNCTION' END, $3::text, $4::text) AS head
            """, [.int(oid), .text(kind), .text(name.schema), .text(name.name)]
        ).single()
        let definition: String = try row.get("definition")
        let head: String = try row.get("head")
        guard definition.hasPrefix(head) else {
            throw MigrationError(
                .inconsistent, "the definition of a function does not begin as expected: \(definition)",
                state: "nothing was changed", advice: "this is a bug: please report it with the server's version")
        }
        let name = QualifiedName(schema: schema ?? self.name.schema, name: self.name.name)
        return
            "CREATE OR REPLACE \(kind == "p" ? "PROCEDURE" : "FUNCTION") \(name.sql)(\(definition.dropFirst(head.count))"
    }

    /// A body that is text is parsed when it is called, with the path of then. That of a parsed one must fit the result.
    var checks: String { "SET LOCAL check_function_bodies = \(isParsed ? "on" : "off")" }

    /// Taken away by OR REPLACE as well.
    var dependencies: [String] {
        extensions.map { "ALTER ROUTINE \(sql) DEPENDS ON EXTENSION \(Quoting.identifier($0))" }
    }

    /// What goes with it when it is made anew.
    func parts(on connection: isolated PgConnection) throws -> [String] {
        ["ALTER ROUTINE \(sql) OWNER TO \(Quoting.identifier(owner))"]
            + (try Grants.ofFunction(
                oid, "ROUTINE \(sql)", schema: name.schema, owner: owner, on: connection))
            + (comment.map { ["COMMENT ON ROUTINE \(sql) IS \(Quoting.literal($0))"] } ?? [])
    }
}
