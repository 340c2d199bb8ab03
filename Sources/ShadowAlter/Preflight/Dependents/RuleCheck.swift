import PgConnection

/// The table has no rule, and no rule of another table or view acts on it. (A view itself is `ViewCheck`'s.)
struct RuleCheck: TableCheck {
    func findings(for table: InspectedTable, on connection: isolated PgConnection) throws -> [Finding] {
        try table.query(
            TableFamily.with + """
                SELECT 'pg_catalog.pg_rewrite'::regclass::oid AS classid, r.oid AS objid, quote_ident(r.rulename) AS name,
                    r.ev_class = $1 AS is_own, format('%I.%I', n.nspname, c.relname) AS holder
                FROM pg_catalog.pg_rewrite r
                JOIN pg_catalog.pg_class c ON c.oid = r.ev_class JOIN pg_catalog.pg_namespace n ON n.oid = c.relnamespace
                WHERE r.rulename <> '_RETURN' AND (r.ev_class = $1 OR r.oid IN (
                    SELECT objid FROM dependent WHERE classid = 'pg_catalog.pg_rewrite'::regclass))
                ORDER BY is_own DESC, holder, r.rulename
                """, on: connection
        ).map { row in
            let name: String = try row.get("name")
            let holder: String = try row.get("holder")
            let own: Bool = try row.get("is_own")
            return Finding(
                .notCarriedOver(
                    code: own ? "rule" : "rule-elsewhere", object: table.name,
                    what: own ? "has the rule \(name)" : "the rule \(name) of \(holder) refers to it", these: "rules",
                    remove: "DROP RULE \(name) ON \(holder)"), covers: [try CatalogAddress(row)])
        }
    }
}
