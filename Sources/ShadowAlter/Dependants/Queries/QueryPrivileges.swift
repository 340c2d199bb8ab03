import PgConnection

/// What our role needs for making the stored queries again.
struct QueryPrivileges {
    let tables: [MigratedTable]
    let trial: QueryTrial.Result

    func find(on connection: isolated PgConnection) throws -> [Refusal] {
        try trial.queries.flatMap { tried -> [Refusal] in
            switch tried.subject {
            case .view(let view):
                guard !view.isTemporary else { return [temporary(tried.query)] }
                return try lacking(tried, view.owner, creates: tried.verdict == .recreated, on: connection)
            case .materializedView(let view, _):
                return try lacking(tried, view.owner, creates: true, on: connection)
            case .function(let function):
                return try lacking(tried, function.owner, creates: true, on: connection)
            }
        } + trial.rules.filter { !$0.isOfRecreatedView }.flatMap { try lacking($0.rule, on: connection) }
    }

    private func temporary(_ query: StoredQuery) -> Refusal {
        Refusal(
            code: "view-temporary", object: tables.used(by: query.uses).description,
            what: "the \(query.title) is a temporary one of another session", why: "nobody else may replace it",
            fix: "end that session, or drop the view there")
    }

    private func refusal(_ uses: [StoredQuery.Use], _ what: String, _ fix: String) -> Refusal {
        Refusal(
            code: "query-privilege", object: tables.used(by: uses).description, what: what,
            why: "it is made again at the cut-over, for the new table", fix: "\(fix);  -- or connect as a superuser")
    }

    private func lacking(
        _ tried: TriedQuery, _ owner: String, creates: Bool, on connection: isolated PgConnection
    ) throws -> [Refusal] {
        let row = try connection.query(
            """
            SELECT pg_has_role($1::regrole, 'USAGE') AS may_act, quote_ident(current_user) AS role, quote_ident($2) AS schema,
                has_schema_privilege($2, 'CREATE') AS may_create,
                has_schema_privilege($1::regrole, $2, 'CREATE') OR (SELECT rolsuper FROM pg_roles WHERE rolname = current_user) AS may_own
            """, [.text(Quoting.identifier(owner)), .text(tried.query.name.schema)]
        ).single()
        let role: String = try row.get("role")
        let schema: String = try row.get("schema")
        let title = tried.query.title
        let owner = Quoting.identifier(owner)
        if try !row.get("may_act", as: Bool.self) {
            return [
                refusal(
                    tried.query.uses, "role \(role) may not act as \(owner), the owner of the \(title)",
                    "GRANT \(owner) TO \(role)")
            ]
        }
        if try creates && !row.get("may_create", as: Bool.self) {
            return [
                refusal(
                    tried.query.uses, "role \(role) may not create the \(title) in its schema",
                    "GRANT CREATE ON SCHEMA \(schema) TO \(role)")
            ]
        }
        if try tried.verdict == .recreated && !row.get("may_own", as: Bool.self) {
            return [
                refusal(
                    tried.query.uses, "\(owner) may not own the \(title), once it is made again",
                    "GRANT CREATE ON SCHEMA \(schema) TO \(owner)")
            ]
        }
        return []
    }

    private func lacking(_ rule: StoredRule, on connection: isolated PgConnection) throws -> [Refusal] {
        let owner = Quoting.identifier(rule.holderOwner)
        let row = try connection.query(
            "SELECT pg_has_role($1::regrole, 'USAGE') AS may_act, quote_ident(current_user) AS role", [.text(owner)]
        ).single()
        guard try !row.get("may_act", as: Bool.self) else { return [] }
        let role: String = try row.get("role")
        return [
            refusal(
                rule.uses,
                "role \(role) may not act as \(owner), the owner of \(rule.holderName), for the \(rule.title)",
                "GRANT \(owner) TO \(role)")
        ]
    }
}
