import PgConnection

/// No view and no materialised view reads the table.
struct ViewCheck: TableCheck {
    func findings(for table: InspectedTable, on connection: isolated PgConnection) throws -> [Finding] {
        // `above` has the views on top of each direct one, with all their distances: views may come to refer to each
        // other in a circle by CREATE OR REPLACE, hence the bound. Dropping goes from the farthest to the nearest.
        try table.query(
            TableFamily.with + """
                , direct AS (
                    SELECT r.ev_class AS view, r.oid AS rule
                    FROM pg_catalog.pg_rewrite r JOIN pg_catalog.pg_class v ON v.oid = r.ev_class
                    WHERE r.rulename = '_RETURN' AND v.relkind IN ('v', 'm') AND r.oid IN (
                        SELECT objid FROM dependent WHERE classid = 'pg_catalog.pg_rewrite'::regclass)),
                above AS (
                    SELECT view AS root, view, 0 AS distance FROM direct
                    UNION
                    SELECT a.root, r.ev_class, a.distance + 1
                    FROM above a
                    JOIN pg_catalog.pg_depend d ON d.refclassid = 'pg_catalog.pg_class'::regclass AND d.refobjid = a.view
                        AND d.classid = 'pg_catalog.pg_rewrite'::regclass
                    JOIN pg_catalog.pg_rewrite r ON r.oid = d.objid AND r.ev_class <> a.view AND r.rulename = '_RETURN'
                    WHERE a.distance < 32),
                named AS (
                    SELECT a.root, a.view, max(a.distance) AS distance, format('%I.%I', n.nspname, v.relname) AS name,
                        v.relkind = 'm' AS is_materialized
                    FROM above a
                    JOIN pg_catalog.pg_class v ON v.oid = a.view JOIN pg_catalog.pg_namespace n ON n.oid = v.relnamespace
                    GROUP BY a.root, a.view, n.nspname, v.relname, v.relkind)
                SELECT d.view, d.rule, v.name, v.is_materialized,
                    'pg_catalog.pg_class'::regclass::oid AS class_class, 'pg_catalog.pg_rewrite'::regclass::oid AS rule_class,
                    (SELECT string_agg(name, ', ' ORDER BY distance, name) FROM named
                        WHERE root = d.view AND view <> d.view) AS others,
                    (SELECT string_agg(
                            format('DROP %sVIEW %s', CASE WHEN is_materialized THEN 'MATERIALIZED ' ELSE '' END, name), '; '
                            ORDER BY distance DESC, name)
                        FROM named WHERE root = d.view) AS remove
                FROM direct d JOIN named v ON v.root = d.view AND v.view = d.view ORDER BY v.name
                """, on: connection
        ).map { row in
            let name: String = try row.get("name")
            let others: String? = try row.optional("others")
            let kind = try row.get("is_materialized") ? "materialised view" : "view"
            return Finding(
                .notCarriedOver(
                    code: "view", object: table.name,
                    what: "the \(kind) \(name) reads it" + (others.map { ", and \($0) on top of that" } ?? ""),
                    these: "views",
                    remove: try row.get("remove")),
                covers: [
                    CatalogAddress(classID: try row.get("class_class"), objectID: try row.get("view")),
                    CatalogAddress(classID: try row.get("rule_class"), objectID: try row.get("rule")),
                ])
        }
    }
}
