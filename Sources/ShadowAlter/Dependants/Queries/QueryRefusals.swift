import PgConnection

/// What stands in the way of carrying stored queries over.
struct QueryRefusals {
    let tables: [MigratedTable]
    let trial: QueryTrial.Result
    let queries: StoredQueries

    func find(on connection: isolated PgConnection) throws -> [Refusal] {
        let lost = try tables.flatMap { try lostColumns($0, on: connection) }
        let columns =
            queries.ordered.flatMap { refusals(lost, $0.title, $0.kind.code, $0.uses, drop: $0.dropName) }
            + trial.rules.flatMap { refusals(lost, $0.rule.title, "rule", $0.rule.uses, drop: "RULE \($0.rule.sql)") }
        // PostgreSQL's message about a column that is not there says no more.
        guard columns.isEmpty else { return columns }
        return queries.circular.map(circle) + trial.queries.compactMap(rejected) + trial.rules.compactMap(rejected)
            + (try trial.queries.flatMap { try others($0, on: connection) })
            + (try QueryPrivileges(tables: tables, trial: trial).find(on: connection))
    }

    private func refusal(
        _ uses: [StoredQuery.Use], _ code: String, _ what: String, _ why: String, _ fix: String
    ) -> Refusal {
        Refusal(code: code, object: tables.used(by: uses).description, what: what, why: why, fix: fix)
    }

    private struct LostColumn {
        var use: StoredQuery.Use
        var plan: ColumnPlan
        var table: QualifiedName
    }

    private func lostColumns(
        _ table: MigratedTable, on connection: isolated PgConnection
    ) throws -> [LostColumn] {
        try ColumnFacts.read(table.sourceOID, on: connection).compactMap { column in
            table.columns.first { $0.name == column.name && $0.greenName != column.name }.map {
                LostColumn(
                    use: StoredQuery.Use(object: .relation(table.sourceOID), column: column.number), plan: $0,
                    table: table.source)
            }
        }
    }

    /// PostgreSQL's own ALTER TABLE follows a rename into views; we have their text only, in which the column has its former name.
    private func refusals(
        _ lost: [LostColumn], _ title: String, _ kind: String, _ uses: [StoredQuery.Use], drop: String
    ) -> [Refusal] {
        lost.filter { uses.contains($0.use) }.map { column in
            let name = Quoting.identifier(column.plan.name)
            guard let new = column.plan.greenName else {
                return refusal(
                    uses, "\(kind)-column", "the change drops the column \(column.plan.name), which the \(title) uses",
                    "it would have to go with the column", "drop it first: DROP \(drop);")
            }
            return refusal(
                uses, "\(kind)-column",
                "the change renames the column \(column.plan.name) to \(new), which the \(title) uses",
                "its text names the column as it is now",
                "rename it in a step of its own, which takes no time: ALTER TABLE \(column.table.sql) RENAME \(name) TO \(Quoting.identifier(new));"
            )
        }
    }

    private func circle(_ query: StoredQuery) -> Refusal {
        refusal(
            query.uses, "\(query.kind.code)-circular",
            "the \(query.title) is in a circle of views and functions that use each other, or above one",
            "there is no order in which they could be made", "DROP \(query.dropName) CASCADE;  -- for the duration")
    }

    private func rejected(_ tried: TriedQuery) -> Refusal? {
        guard case .refused(let why) = tried.verdict else { return nil }
        return refusal(
            tried.query.uses, "\(tried.query.kind.code)-not-possible",
            "the \(tried.query.title) cannot be made after the change", why,
            "change it first, or drop it for the duration: DROP \(tried.query.dropName);")
    }

    private func rejected(_ tried: TriedRule) -> Refusal? {
        tried.rejection.map { why in
            refusal(
                tried.rule.uses, "rule-not-possible", "the \(tried.rule.title) cannot be made after the change", why,
                "change it first, or drop it for the duration: DROP RULE \(tried.rule.sql);")
        }
    }

    /// What depends on something that is made anew and is carried by nobody: it would be left with the former one.
    private func others(_ tried: TriedQuery, on connection: isolated PgConnection) throws -> [Refusal] {
        guard tried.verdict == .recreated else { return [] }
        func carried(_ kinds: StoredQuery.Kind...) -> PgParameter {
            .array(trial.queries.filter { kinds.contains($0.query.kind) }.map { String($0.query.oid) })
        }
        return try connection.query(
            """
            WITH family (classid, objid) AS (
                SELECT CASE $2 WHEN 'function' THEN 'pg_proc'::regclass ELSE 'pg_class'::regclass END::oid, $1::oid
                UNION ALL
                SELECT 'pg_type'::regclass, y.oid FROM pg_type t CROSS JOIN LATERAL (VALUES (t.oid), (t.typarray)) y (oid)
                WHERE $2 <> 'function' AND t.typrelid = $1 AND y.oid <> 0)
            SELECT DISTINCT pg_describe_object(d.classid, d.objid, 0) AS description
            FROM pg_depend d JOIN family f ON f.classid = d.refclassid AND f.objid = d.refobjid
            WHERE NOT CASE d.classid
                WHEN 'pg_type'::regclass THEN (d.classid, d.objid) IN (SELECT classid, objid FROM family)
                WHEN 'pg_class'::regclass THEN d.objid = ANY ($3::oid[])
                    OR EXISTS (SELECT FROM pg_index i WHERE i.indexrelid = d.objid AND i.indrelid = $1)
                    OR d.objid = (SELECT reltoastrelid FROM pg_class WHERE oid = $1)
                WHEN 'pg_statistic_ext'::regclass THEN EXISTS (SELECT FROM pg_statistic_ext s WHERE s.oid = d.objid AND s.stxrelid = $1)
                WHEN 'pg_rewrite'::regclass THEN d.objid = ANY ($5::oid[])
                    OR EXISTS (SELECT FROM pg_rewrite r WHERE r.oid = d.objid AND r.rulename = '_RETURN' AND r.ev_class = ANY ($3::oid[]))
                WHEN 'pg_attrdef'::regclass THEN $2 <> 'function' AND EXISTS (SELECT FROM pg_attrdef e WHERE e.oid = d.objid AND e.adrelid = $1)
                WHEN 'pg_trigger'::regclass THEN $2 <> 'function' AND EXISTS (SELECT FROM pg_trigger t WHERE t.oid = d.objid AND t.tgrelid = $1)
                WHEN 'pg_proc'::regclass THEN d.objid = ANY ($4::oid[])
                ELSE false END
            UNION
            SELECT format('extension %I, which it belongs to', e.extname)
            FROM pg_depend d JOIN family f USING (classid, objid) JOIN pg_extension e ON e.oid = d.refobjid
            WHERE d.refclassid = 'pg_extension'::regclass AND d.deptype = 'e'
            UNION
            SELECT format('security label by %s on %s', l.provider, pg_describe_object(l.classoid, l.objoid, l.objsubid))
            FROM (SELECT classid AS classoid, objid AS objoid FROM family
                UNION SELECT b.classoid, b.objoid FROM (\(CatalogFingerprint.belongings())) b WHERE $2 <> 'function') f
            JOIN pg_seclabel l USING (classoid, objoid)
            ORDER BY 1
            """,
            [
                .int(tried.query.oid), .text(tried.query.kind.rawValue), carried(.view, .materializedView),
                carried(.function),
                .array(trial.rules.map { String($0.rule.oid) }),
            ]
        ).rows.map { row in
            let description: String = try row.get("description")
            return refusal(
                tried.query.uses, "\(tried.query.kind.code)-dependent",
                "the \(tried.query.title) must be made anew, which the \(description) does not survive",
                "it refers to the \(tried.query.kind.rawValue) by its OID",
                "drop it for the duration, and make it again afterwards")
        }
    }
}

extension [MigratedTable] {
    /// The one that a refusal about a query is filed under.
    func used(by uses: [StoredQuery.Use]) -> QualifiedName {
        (first { table in uses.contains { $0.object == .relation(table.sourceOID) } } ?? self[0]).source
    }
}

extension StoredQuery {
    /// For DROP.
    var dropName: String {
        title.split(separator: " ", maxSplits: 1).enumerated().map { $0 == 0 ? $1.uppercased() : String($1) }
            .joined(separator: " ")
    }
}
