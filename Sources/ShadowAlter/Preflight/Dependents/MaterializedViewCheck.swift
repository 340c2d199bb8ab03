import PgConnection

/// No materialised view stores what it has read from the table, also not through views.
struct MaterializedViewCheck: TableCheck {
    func findings(for table: InspectedTable, on connection: isolated PgConnection) throws -> [Finding] {
        // With all distances: views may come to refer to each other in a circle by CREATE OR REPLACE, hence the bound.
        try table.query(
            TableFamily.with + """
                , above AS (
                    SELECT r.ev_class AS view, r.oid AS rule, 0 AS distance, ARRAY[]::oid[] AS through
                    FROM pg_catalog.pg_rewrite r JOIN pg_catalog.pg_class v ON v.oid = r.ev_class
                    WHERE r.rulename = '_RETURN' AND v.relkind IN ('v', 'm') AND r.oid IN (
                        SELECT objid FROM dependent WHERE classid = 'pg_catalog.pg_rewrite'::regclass)
                    UNION
                    SELECT r.ev_class, r.oid, a.distance + 1, a.through || a.view
                    FROM above a
                    JOIN pg_catalog.pg_depend d ON d.refclassid = 'pg_catalog.pg_class'::regclass AND d.refobjid = a.view
                        AND d.classid = 'pg_catalog.pg_rewrite'::regclass
                    JOIN pg_catalog.pg_rewrite r ON r.oid = d.objid AND r.ev_class <> a.view AND r.rulename = '_RETURN'
                    WHERE a.distance < 32 AND r.ev_class <> ALL (a.through)),
                nearest AS (
                    SELECT DISTINCT ON (a.view) a.view, a.rule, a.through, format('%I.%I', n.nspname, v.relname) AS name
                    FROM above a
                    JOIN pg_catalog.pg_class v ON v.oid = a.view JOIN pg_catalog.pg_namespace n ON n.oid = v.relnamespace
                    WHERE v.relkind = 'm' ORDER BY a.view, a.distance, a.through)
                SELECT m.view, m.rule, m.name, 'pg_catalog.pg_class'::regclass::oid AS class_class,
                    'pg_catalog.pg_rewrite'::regclass::oid AS rule_class,
                    (SELECT string_agg(format('%I.%I', n.nspname, v.relname), ', ' ORDER BY u.position)
                        FROM unnest(m.through) WITH ORDINALITY u (view, position) JOIN pg_catalog.pg_class v ON v.oid = u.view
                        JOIN pg_catalog.pg_namespace n ON n.oid = v.relnamespace) AS through
                FROM nearest m ORDER BY m.name
                """, on: connection
        ).map { row in
            let name: String = try row.get("name")
            let through: String? = try row.optional("through")
            return Finding(
                .notCarriedOver(
                    code: "materialized-view", object: table.name,
                    what: "the materialised view \(name) reads it" + (through.map { " through \($0)" } ?? ""),
                    these: "materialised views", remove: "DROP MATERIALIZED VIEW \(name)"),
                covers: [
                    CatalogAddress(classID: try row.get("class_class"), objectID: try row.get("view")),
                    CatalogAddress(classID: try row.get("rule_class"), objectID: try row.get("rule")),
                ])
        }
    }
}
