import PgConnection

/// A rule that is not a view's query.
struct StoredRule: Sendable, Equatable {
    var oid: UInt32
    var name: String
    /// The table or view whose queries it rewrites.
    var holder: UInt32
    var holderName: QualifiedName
    var holderIsView: Bool
    var holderIsPartitioned: Bool
    var holderOwner: String
    /// `pg_rewrite.ev_enabled`
    var enabled: String
    var comment: String?
    var uses: [StoredQuery.Use]

    var title: String { "rule \(name) on \(holderName)" }
    /// As it is told apart in statements.
    var sql: String { "\(Quoting.identifier(name)) ON \(holderName.sql)" }

    /// All rules of these relations, and those of others that use them.
    static func read(_ relations: [UInt32], on connection: isolated PgConnection) throws -> [StoredRule] {
        try connection.query(
            """
            SELECT r.oid, r.rulename, r.ev_class, n.nspname, c.relname, c.relkind = 'v' AS is_view, c.relkind = 'p' AS is_partitioned,
                pg_get_userbyid(c.relowner) AS owner, r.ev_enabled, obj_description(r.oid, 'pg_rewrite') AS comment
            FROM pg_rewrite r JOIN pg_class c ON c.oid = r.ev_class JOIN pg_namespace n ON n.oid = c.relnamespace
            WHERE r.rulename <> '_RETURN' AND (r.ev_class = ANY ($1::oid[]) OR r.oid IN (
                SELECT d.objid FROM pg_depend d LEFT JOIN pg_type t ON d.refclassid = 'pg_type'::regclass AND t.oid = d.refobjid
                LEFT JOIN pg_type e ON d.refclassid = 'pg_type'::regclass AND e.typarray = d.refobjid
                LEFT JOIN pg_constraint k ON d.refclassid = 'pg_constraint'::regclass AND k.oid = d.refobjid
                WHERE d.classid = 'pg_rewrite'::regclass AND CASE d.refclassid WHEN 'pg_class'::regclass THEN d.refobjid
                    ELSE coalesce(nullif(t.typrelid, 0), e.typrelid, k.conrelid) END = ANY ($1::oid[])))
            ORDER BY n.nspname, c.relname, r.rulename
            """, [.array(relations.sorted().map { String($0) })]
        ).rows.map { row in
            let oid: UInt32 = try row.get("oid")
            let holder: UInt32 = try row.get("ev_class")
            var uses = try StoredQuery.Use.read(
                where: "d.classid = 'pg_rewrite'::regclass AND d.objid = $1", oid, on: connection)
            let own = StoredQuery.Use(object: .relation(holder), column: 0)
            if !uses.contains(own) { uses.insert(own, at: 0) }
            return StoredRule(
                oid: oid, name: try row.get("rulename"), holder: holder,
                holderName: QualifiedName(schema: try row.get("nspname"), name: try row.get("relname")),
                holderIsView: try row.get("is_view"), holderIsPartitioned: try row.get("is_partitioned"),
                holderOwner: try row.get("owner"), enabled: try row.get("ev_enabled"),
                comment: try row.optional("comment"), uses: uses)
        }
    }

    /// - Parameter isPretty: with the names qualified only as the session's `search_path` makes it necessary.
    func definition(isPretty: Bool = false, on connection: isolated PgConnection) throws -> String {
        let text: String = try connection.query(
            "SELECT rtrim(pg_get_ruledef($1::oid\(isPretty ? ", true" : "")), ';')", [.int(oid)]
        ).single().value()
        return text
    }

    /// In place of the one that is there, which keeps its state and its comment.
    func replacing(_ definition: String) throws -> String {
        let head = "CREATE RULE "
        guard definition.hasPrefix(head) else {
            throw MigrationError(
                .inconsistent, "the definition of a rule does not begin as expected: \(definition)",
                state: "nothing was changed", advice: "this is a bug: please report it with the server's version")
        }
        return "CREATE OR REPLACE RULE \(definition.dropFirst(head.count))"
    }

    /// State and comment of one that is made anew.
    var parts: [String] {
        let state = ["D": "DISABLE", "R": "ENABLE REPLICA", "A": "ENABLE ALWAYS"][enabled].map {
            "ALTER TABLE \(holderName.sql) \($0) RULE \(Quoting.identifier(name))"
        }
        return [state, comment.map { "COMMENT ON RULE \(sql) IS \(Quoting.literal($0))" }].compactMap { $0 }
    }
}

/// Makes a rule on the stand-ins.
struct RuleTrial {
    let rule: StoredRule

    /// Why PostgreSQL does not accept it there; nil when it does. Nothing of it remains.
    func run(_ schemas: TrialSchemas, on connection: isolated PgConnection) throws -> String? {
        var schemas = schemas
        do {
            return try connection.undone { connection in
                if schemas.changed[.relation(rule.holder)] == nil { try addHolder(&schemas, on: connection) }
                guard let path = try schemas.path(for: Set(rule.uses.map(\.object)), on: connection) else {
                    return TrialSchemas.ambiguous
                }
                let definition = try rule.definition(isPretty: true, on: connection)
                try TrialSchemas.setPath(schemas.standIns(path), on: connection)
                try connection.execute(definition)
                let oid: UInt32 = try connection.query(
                    "SELECT max(oid) FROM pg_rewrite WHERE rulename = $1", [.text(rule.name)]
                ).single().value()
                var found = try StoredQuery.Use.read(
                    where: "d.classid = 'pg_rewrite'::regclass AND d.objid = $1", oid, on: connection)
                if let holder = schemas.standIn(of: rule.holder) {
                    found.append(StoredQuery.Use(object: .relation(holder), column: 0))
                }
                return schemas.areSame(found, rule.uses) ? nil : TrialSchemas.otherMeaning
            }
        } catch let error as PgError where error.isRejection {
            return error.says
        }
    }

    /// A table with the same columns: nobody has to wait for the real one.
    private func addHolder(_ schemas: inout TrialSchemas, on connection: isolated PgConnection) throws {
        try TrialSchemas.setPath([], on: connection)
        let columns = try ColumnFacts.read(rule.holder, on: connection)
        let list = columns.map { column in
            "\(Quoting.identifier(column.name)) \(column.type)" + (column.collation.map { " COLLATE \($0)" } ?? "")
        }
        let name = QualifiedName(
            schema: try schemas.schema(for: rule.holderName.schema, on: connection), name: rule.holderName.name)
        try connection.execute("CREATE TABLE \(name.sql) (\(list.joined(separator: ", ")))")
        let oid: UInt32 = try connection.query("SELECT $1::regclass::oid", [.text(name.sql)]).single().value()
        schemas.add(rule.holder, rule.holderName, columns, standIn: oid)
    }
}
