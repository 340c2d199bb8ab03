import PgConnection

/// A trigger as the catalogs have it.
struct Trigger: Sendable, Equatable {
    var name: String
    /// `CREATE TRIGGER …` with the table's name as the `search_path` of the reading required it.
    var definition: String
    /// `pg_trigger.tgenabled`
    var state: String
    /// The columns of its table that it names, in UPDATE OF or in WHEN.
    var columns: [String]
    var functions: [UInt32]
    var comment: String?
    /// Of the constraint behind a constraint trigger.
    var constraintComment: String?
    /// `ALTER TRIGGER … DEPENDS ON EXTENSION`
    var extensions: [String]

    func drop(on table: QualifiedName) -> String {
        "DROP TRIGGER \(Quoting.identifier(name)) ON \(table.sql)"
    }

    /// What CREATE TRIGGER does not say.
    func properties(on table: QualifiedName) -> [String] {
        let quoted = Quoting.identifier(name)
        var statements: [String] = []
        if let verb = Self.verb(for: state) { statements.append("ALTER TABLE \(table.sql) \(verb) TRIGGER \(quoted)") }
        statements += extensions.map {
            "ALTER TRIGGER \(quoted) ON \(table.sql) DEPENDS ON EXTENSION \(Quoting.identifier($0))"
        }
        if let comment {
            statements.append("COMMENT ON TRIGGER \(quoted) ON \(table.sql) IS \(Quoting.literal(comment))")
        }
        if let constraintComment {
            statements.append(
                "COMMENT ON CONSTRAINT \(quoted) ON \(table.sql) IS \(Quoting.literal(constraintComment))")
        }
        return statements
    }

    /// What brings a trigger that was just made into the state; nil for the one that it is in.
    static func verb(for state: String) -> String? {
        ["D": "DISABLE", "R": "ENABLE REPLICA", "A": "ENABLE ALWAYS"][state]
    }

    /// In the order of their names, in which they fire.
    ///
    /// - Parameter pretty: whether names of relations that the `search_path` finds are printed without their schema.
    static func read(_ table: UInt32, pretty: Bool = false, on connection: isolated PgConnection) throws -> [Trigger] {
        try connection.query(
            """
            SELECT t.tgname, pg_get_triggerdef(t.oid, $2) AS definition, t.tgenabled::text AS state,
                ARRAY(SELECT DISTINCT a.attname::text FROM pg_depend d JOIN pg_attribute a ON a.attrelid = d.refobjid AND a.attnum = d.refobjsubid
                    WHERE d.classid = 'pg_trigger'::regclass AND d.objid = t.oid AND d.refclassid = 'pg_class'::regclass
                        AND d.refobjid = t.tgrelid AND d.refobjsubid > 0 ORDER BY 1) AS columns,
                ARRAY(SELECT DISTINCT d.refobjid FROM pg_depend d WHERE d.classid = 'pg_trigger'::regclass AND d.objid = t.oid
                        AND d.refclassid = 'pg_proc'::regclass ORDER BY 1) AS functions,
                ARRAY(SELECT e.extname::text FROM pg_depend d JOIN pg_extension e ON e.oid = d.refobjid
                    WHERE d.classid = 'pg_trigger'::regclass AND d.objid = t.oid AND d.refclassid = 'pg_extension'::regclass
                        AND d.deptype = 'x' ORDER BY 1) AS extensions,
                obj_description(t.oid, 'pg_trigger') AS comment,
                CASE WHEN t.tgconstraint <> 0 THEN obj_description(t.tgconstraint, 'pg_constraint') END AS constraint_comment
            FROM pg_trigger t WHERE t.tgrelid = $1 AND NOT t.tgisinternal AND t.tgparentid = 0 ORDER BY t.tgname
            """, [.int(table), .bool(pretty)]
        ).rows.map { row in
            Trigger(
                name: try row.get("tgname"), definition: try row.get("definition"), state: try row.get("state"),
                columns: try row.get("columns"), functions: try row.get("functions"),
                comment: try row.optional("comment"),
                constraintComment: try row.optional("constraint_comment"), extensions: try row.get("extensions"))
        }
    }
}
