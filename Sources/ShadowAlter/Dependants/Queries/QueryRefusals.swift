import PgConnection

/// What stands in the way of carrying stored queries over.
struct QueryRefusals {
    let tables: [MigratedTable]
    let trial: QueryTrial.Result
    let queries: StoredQueries

    func find(on connection: isolated PgConnection) throws -> [Refusal] {
        let columns = try queries.ordered.flatMap { try lostColumns($0, on: connection) }
        // PostgreSQL's message about a column that is not there says no more.
        guard columns.isEmpty else { return columns }
        return queries.circular.map(circle) + trial.tried.compactMap(rejected)
            + (try trial.tried.flatMap { try others($0, on: connection) + privileges($0, on: connection) })
    }

    private func refusal(
        _ query: StoredQuery, _ code: String, _ what: String, _ why: String, _ fix: String
    ) -> Refusal {
        let used = tables.first { table in query.uses.contains { $0.object == .relation(table.sourceOID) } }
        return Refusal(
            code: code, object: (used ?? tables[0]).source.description, what: what, why: why, fix: fix)
    }

    /// PostgreSQL's own ALTER TABLE follows a rename into views; we have their text only, in which the column has its former name.
    private func lostColumns(_ query: StoredQuery, on connection: isolated PgConnection) throws -> [Refusal] {
        tables.flatMap { table in
            query.uses.filter { $0.object == .relation(table.sourceOID) && $0.column != 0 }.compactMap { use in
                guard let column = table.columns.first(where: { $0.number == use.column }),
                    column.greenName != column.name
                else { return nil }
                let fate = column.greenName.map { "renames the column \(column.name) to \($0)" }
                return refusal(
                    query, "\(query.kind.rawValue)-column",
                    "the change \(fate ?? "drops the column \(column.name)"), which the \(query.title) uses",
                    "its text names the column as it is now",
                    fate == nil
                        ? "drop the \(query.kind.rawValue) first: DROP \(query.dropName);"
                        : "rename the column in a step of its own, which takes no time: ALTER TABLE \(table.source.sql) RENAME …"
                )
            }
        }
    }

    private func circle(_ query: StoredQuery) -> Refusal {
        refusal(
            query, "\(query.kind.rawValue)-circular",
            "the \(query.title) is in a circle of views and functions that use each other, or above one",
            "there is no order in which they could be made", "DROP \(query.dropName) CASCADE;  -- for the duration")
    }

    private func rejected(_ tried: TriedQuery) -> Refusal? {
        guard case .refused(let why) = tried.verdict else { return nil }
        return refusal(
            tried.query, "\(tried.query.kind.rawValue)-not-possible",
            "the \(tried.query.title) cannot be made after the change", why,
            "change it first, or drop it for the duration: DROP \(tried.query.dropName);")
    }

    /// What depends on a view that is made anew and is carried by nobody: it would be left with the former one.
    private func others(_ tried: TriedQuery, on connection: isolated PgConnection) throws -> [Refusal] {
        guard tried.verdict == .recreated else { return [] }
        let carried = trial.tried.filter { $0.verdict != .replaced || $0.query.kind == .function }.map(\.query)
        let views = carried.filter { $0.kind == .view }.map { String($0.oid) }
        let functions = carried.filter { $0.kind == .function }.map { String($0.oid) }
        return try connection.query(
            """
            WITH family (classid, objid) AS (
                SELECT 'pg_class'::regclass::oid, $1::oid
                UNION ALL
                SELECT 'pg_type'::regclass, y.oid FROM pg_type t CROSS JOIN LATERAL (VALUES (t.oid), (t.typarray)) y (oid)
                WHERE t.typrelid = $1 AND y.oid <> 0)
            SELECT DISTINCT pg_describe_object(d.classid, d.objid, 0) AS description
            FROM pg_depend d JOIN family f ON f.classid = d.refclassid AND f.objid = d.refobjid
            WHERE NOT CASE d.classid
                WHEN 'pg_type'::regclass THEN (d.classid, d.objid) IN (SELECT classid, objid FROM family)
                WHEN 'pg_class'::regclass THEN d.objid = ANY ($2::oid[])
                WHEN 'pg_rewrite'::regclass THEN EXISTS (SELECT FROM pg_rewrite r WHERE r.oid = d.objid AND r.ev_class = ANY ($2::oid[]))
                WHEN 'pg_attrdef'::regclass THEN EXISTS (SELECT FROM pg_attrdef e WHERE e.oid = d.objid AND e.adrelid = ANY ($2::oid[]))
                WHEN 'pg_trigger'::regclass THEN EXISTS (SELECT FROM pg_trigger t WHERE t.oid = d.objid AND t.tgrelid = ANY ($2::oid[]))
                WHEN 'pg_proc'::regclass THEN d.objid = ANY ($3::oid[])
                ELSE false END
            UNION
            SELECT format('extension %I, of which it is a part', e.extname) FROM pg_depend d JOIN pg_extension e ON e.oid = d.refobjid
            WHERE d.classid = 'pg_class'::regclass AND d.objid = $1 AND d.refclassid = 'pg_extension'::regclass
            UNION
            SELECT format('security label by %s', l.provider) FROM pg_seclabel l WHERE l.classoid = 'pg_class'::regclass AND l.objoid = $1
            ORDER BY 1
            """, [.int(tried.query.oid), .array(views), .array(functions)]
        ).rows.map { row in
            let description: String = try row.get("description")
            return refusal(
                tried.query, "view-dependent",
                "the \(tried.query.title) gets other types of columns and must be made anew, which the \(description) does not survive",
                "it refers to the view by its OID", "drop it for the duration, and make it again afterwards")
        }
    }

    private func privileges(_ tried: TriedQuery, on connection: isolated PgConnection) throws -> [Refusal] {
        let view = tried.view
        if view.isTemporary {
            return [
                refusal(
                    tried.query, "view-temporary", "the \(tried.query.title) is a temporary one of another session",
                    "nobody else may replace it", "end that session, or drop the view there")
            ]
        }
        let row = try connection.query(
            """
            SELECT pg_has_role(c.relowner, 'USAGE') AS owner, quote_ident(current_user) AS role, quote_ident(n.nspname) AS schema,
                has_schema_privilege(n.oid, 'CREATE') AS create,
                has_schema_privilege(c.relowner, n.oid, 'CREATE') OR (SELECT rolsuper FROM pg_roles WHERE rolname = current_user) AS owner_creates
            FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace WHERE c.oid = $1
            """, [.int(view.oid)]
        ).single()
        let role: String = try row.get("role")
        let schema: String = try row.get("schema")
        let owner = Quoting.identifier(view.owner)
        func lacking(_ what: String, _ fix: String) -> Refusal {
            refusal(
                tried.query, "view-privilege", what, "the view is made again at the cut-over",
                "\(fix);  -- or connect as a superuser")
        }
        if try !row.get("owner", as: Bool.self) {
            return [
                lacking(
                    "role \(role) may not act as \(owner), the owner of the \(tried.query.title)",
                    "GRANT \(owner) TO \(role)")
            ]
        }
        guard tried.verdict == .recreated else { return [] }
        if try !row.get("create", as: Bool.self) {
            return [
                lacking(
                    "role \(role) may not create the \(tried.query.title) in its schema",
                    "GRANT CREATE ON SCHEMA \(schema) TO \(role)")
            ]
        }
        if try !row.get("owner_creates", as: Bool.self) {
            return [
                lacking(
                    "\(owner) may not own the \(tried.query.title), once it is made again",
                    "GRANT CREATE ON SCHEMA \(schema) TO \(owner)")
            ]
        }
        return []
    }
}

extension StoredQuery {
    /// For DROP.
    var dropName: String {
        title.split(separator: " ", maxSplits: 1).enumerated().map { $0 == 0 ? $1.uppercased() : String($1) }
            .joined(separator: " ")
    }
}
