import PgConnection

/// What hangs on a view and goes with it, as statements that make it again.
struct ViewParts {
    let view: View

    func statements(on connection: isolated PgConnection) throws -> [String] {
        ["ALTER VIEW \(view.name.sql) OWNER TO \(Quoting.identifier(view.owner))"]
            + (try Grants.ofRelation(view.oid, view.name, owner: view.owner, on: connection))
            + (try defaults(on: connection)) + (try triggers(on: connection)) + (try rules(on: connection))
            + (try comments(on: connection))
    }

    private func list(_ sql: String, on connection: isolated PgConnection) throws -> [String] {
        try connection.query(sql, [.int(view.oid)]).rows.map { try $0.value() }
    }

    private func defaults(on connection: isolated PgConnection) throws -> [String] {
        try list(
            """
            SELECT format('ALTER VIEW %I.%I ALTER COLUMN %I SET DEFAULT %s', n.nspname, c.relname, a.attname, pg_get_expr(e.adbin, e.adrelid))
            FROM pg_attrdef e JOIN pg_class c ON c.oid = e.adrelid JOIN pg_namespace n ON n.oid = c.relnamespace
            JOIN pg_attribute a ON a.attrelid = e.adrelid AND a.attnum = e.adnum
            WHERE e.adrelid = $1 ORDER BY e.adnum
            """, on: connection)
    }

    /// A view's triggers and rules are always enabled: PostgreSQL does not let anybody disable them.
    private func triggers(on connection: isolated PgConnection) throws -> [String] {
        try list(
            """
            SELECT s FROM pg_trigger t CROSS JOIN LATERAL (
                SELECT 1, '', pg_get_triggerdef(t.oid)
                UNION ALL
                SELECT 2, e.extname, format('ALTER TRIGGER %I ON %s DEPENDS ON EXTENSION %I', t.tgname, t.tgrelid::regclass, e.extname)
                FROM pg_depend d JOIN pg_extension e ON e.oid = d.refobjid
                WHERE d.classid = 'pg_trigger'::regclass AND d.objid = t.oid AND d.refclassid = 'pg_extension'::regclass AND d.deptype = 'x'
                UNION ALL
                SELECT 3, '', format('COMMENT ON TRIGGER %I ON %s IS %L', t.tgname, t.tgrelid::regclass, m)
                FROM obj_description(t.oid, 'pg_trigger') m WHERE m IS NOT NULL
            ) x (position, name, s) WHERE t.tgrelid = $1 AND NOT t.tgisinternal ORDER BY t.oid, x.position, x.name
            """, on: connection)
    }

    private func rules(on connection: isolated PgConnection) throws -> [String] {
        try list(
            """
            SELECT s FROM pg_rewrite r CROSS JOIN LATERAL (
                SELECT 1, rtrim(pg_get_ruledef(r.oid), ';') WHERE r.rulename <> '_RETURN'
                UNION ALL
                SELECT 2, format('COMMENT ON RULE %I ON %s IS %L', r.rulename, r.ev_class::regclass, m)
                FROM obj_description(r.oid, 'pg_rewrite') m WHERE m IS NOT NULL
            ) x (position, s) WHERE r.ev_class = $1 ORDER BY r.oid, x.position
            """, on: connection)
    }

    private func comments(on connection: isolated PgConnection) throws -> [String] {
        try list(
            """
            SELECT CASE m.objsubid WHEN 0 THEN format('COMMENT ON VIEW %s IS %L', c.oid::regclass, m.description)
                ELSE format('COMMENT ON COLUMN %s.%I IS %L', c.oid::regclass, a.attname, m.description) END
            FROM pg_description m JOIN pg_class c ON c.oid = m.objoid
            LEFT JOIN pg_attribute a ON a.attrelid = m.objoid AND a.attnum = m.objsubid
            WHERE m.classoid = 'pg_class'::regclass AND m.objoid = $1 ORDER BY m.objsubid
            """, on: connection)
            + list(
                """
                SELECT format('COMMENT ON TYPE %s IS %L', typrelid::regclass, m)
                FROM pg_type CROSS JOIN LATERAL obj_description(oid, 'pg_type') m WHERE typrelid = $1 AND m IS NOT NULL
                """, on: connection)
    }
}
