import PgConnection

/// A materialized view, and the statements that build another one like it over the new tables, with all that belongs to it.
///
/// Its contents are computed when it is built, which is long before the exchange: under the lock it is only moved into its place.
struct MaterializedView: Sendable, Equatable {
    var oid: UInt32
    var name: QualifiedName
    var owner: String
    var columns: [String]
    /// `pg_class.reloptions`: `name=value`; those of the TOAST table with `toast.` in front.
    var options: [String]
    /// Empty for the database's.
    var tablespace: String
    var accessMethod: String
    /// Whether it has contents: a reader of one that has none gets an error.
    var isPopulated: Bool
    /// `ALTER MATERIALIZED VIEW … DEPENDS ON EXTENSION`
    var extensions: [String]

    static func read(_ oid: UInt32, on connection: isolated PgConnection) throws -> MaterializedView {
        let row = try connection.query(
            """
            SELECT n.nspname, c.relname, pg_get_userbyid(c.relowner) AS owner, c.relispopulated, a.amname,
                coalesce(s.spcname, '') AS tablespace,
                ARRAY(SELECT attname::text FROM pg_attribute WHERE attrelid = c.oid AND attnum > 0 AND NOT attisdropped ORDER BY attnum) AS columns,
                ARRAY(SELECT o FROM unnest(c.reloptions) o)
                    || ARRAY(SELECT 'toast.' || o FROM pg_class t, unnest(t.reloptions) o WHERE t.oid = c.reltoastrelid) AS options,
                ARRAY(SELECT e.extname::text FROM pg_depend d JOIN pg_extension e ON e.oid = d.refobjid
                    WHERE d.classid = 'pg_class'::regclass AND d.objid = c.oid AND d.refclassid = 'pg_extension'::regclass
                        AND d.deptype = 'x' ORDER BY 1) AS extensions
            FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace JOIN pg_am a ON a.oid = c.relam
            LEFT JOIN pg_tablespace s ON s.oid = c.reltablespace WHERE c.oid = $1
            """, [.int(oid)]
        ).single()
        return MaterializedView(
            oid: oid, name: QualifiedName(schema: try row.get("nspname"), name: try row.get("relname")),
            owner: try row.get("owner"), columns: try row.get("columns"), options: try row.get("options"),
            tablespace: try row.get("tablespace"), accessMethod: try row.get("amname"),
            isPopulated: try row.get("relispopulated"), extensions: try row.get("extensions"))
    }

    /// The query, with names qualified as the session's `search_path` makes it necessary.
    func definition(on connection: isolated PgConnection) throws -> String {
        let text: String = try connection.query("SELECT pg_get_viewdef($1::oid)", [.int(oid)]).single().value()
        return text.hasSuffix(";") ? String(text.dropLast()) : text
    }

    func create(as name: QualifiedName, _ definition: String, withData: Bool) -> String {
        var sql = "CREATE MATERIALIZED VIEW \(name.sql) (\(Quoting.identifiers(columns)))"
        sql += " USING \(Quoting.identifier(accessMethod))"
        let plain = options.filter { !$0.hasPrefix("toast.") }
        if !plain.isEmpty { sql += " WITH (\(plain.map(Self.option).joined(separator: ", ")))" }
        if !tablespace.isEmpty { sql += " TABLESPACE \(Quoting.identifier(tablespace))" }
        return sql + " AS \(definition) WITH \(withData ? "" : "NO ")DATA"
    }

    private static func option(_ option: String) -> String {
        let parts = option.split(separator: "=", maxSplits: 1, omittingEmptySubsequences: false).map(String.init)
        return parts.count == 2 ? "\(parts[0]) = \(Quoting.literal(parts[1]))" : option
    }

    /// Everything, in one transaction, over the green tables: `path` is the `search_path` under which `definition` means these.
    func build(
        as name: QualifiedName, _ definition: String, path: [String], on connection: isolated PgConnection
    ) throws -> [String] {
        let toast = options.filter { $0.hasPrefix("toast.") }.map(Self.option)
        return ["SET LOCAL search_path = \(Quoting.identifiers(path))"]
            + [create(as: name, definition, withData: false)]
            + (toast.isEmpty ? [] : ["ALTER MATERIALIZED VIEW \(name.sql) SET (\(toast.joined(separator: ", ")))"])
            + ["GRANT USAGE, CREATE ON SCHEMA \(Quoting.identifier(name.schema)) TO \(Quoting.identifier(owner))"]
            + extensions.map {
                "ALTER MATERIALIZED VIEW \(name.sql) DEPENDS ON EXTENSION \(Quoting.identifier($0))"
            } + (try columnProperties(name, on: connection)) + (try indexes(name, on: connection))
            + (try statistics(name, on: connection)) + (try comments(name, on: connection))
            + ["ALTER MATERIALIZED VIEW \(name.sql) OWNER TO \(Quoting.identifier(owner))"]
            + (try Grants.ofRelation(oid, name, owner: owner, on: connection))
            // With the owner's rights, as every later REFRESH has them: policies may hide rows from the owner that our role sees.
            + (isPopulated
                ? ["SET LOCAL row_security = on", "REFRESH MATERIALIZED VIEW \(name.sql)", "ANALYZE \(name.sql)"] : [])
    }
}

extension MaterializedView {
    private func columnProperties(_ name: QualifiedName, on connection: isolated PgConnection) throws -> [String] {
        try connection.query(
            """
            SELECT format('ALTER MATERIALIZED VIEW %s ALTER COLUMN %I %s', $2::text, a.attname, x.change)
            FROM pg_attribute a JOIN pg_type t ON t.oid = a.atttypid CROSS JOIN LATERAL (
                SELECT 1, format('SET STATISTICS %s', a.attstattarget) WHERE nullif(a.attstattarget, -1) IS NOT NULL
                UNION ALL
                SELECT 2, format('SET (%s)', o) FROM unnest(a.attoptions) o WHERE o LIKE 'n\\_distinct%'
                UNION ALL
                SELECT 3, 'SET STORAGE ' || CASE a.attstorage WHEN 'p' THEN 'PLAIN' WHEN 'e' THEN 'EXTERNAL' WHEN 'm' THEN 'MAIN' ELSE 'EXTENDED' END
                WHERE a.attstorage <> t.typstorage
                UNION ALL
                SELECT 4, 'SET COMPRESSION ' || CASE a.attcompression WHEN 'p' THEN 'pglz' ELSE 'lz4' END WHERE a.attcompression <> ''
            ) x (position, change)
            WHERE a.attrelid = $1 AND a.attnum > 0 AND NOT a.attisdropped ORDER BY a.attnum, x.position
            """, [.int(oid), .text(name.sql)]
        ).rows.map { try $0.value() }
    }

    private func indexes(_ name: QualifiedName, on connection: isolated PgConnection) throws -> [String] {
        try IndexReader.read(oid, on: connection).flatMap { index in
            ["SET LOCAL default_tablespace = \(Quoting.literal(index.tablespace))"]
                + (index.definition(on: name).map { [$0] } ?? [])
                + ["SET LOCAL default_tablespace = ''"] + index.finishing(on: name)
        }
    }

    /// The objects that lie beside the view; they are moved together with it.
    func statisticsNames(on connection: isolated PgConnection) throws -> [String] {
        try connection.query("SELECT stxname FROM pg_statistic_ext WHERE stxrelid = $1 ORDER BY stxname", [.int(oid)])
            .rows.map { try $0.value() }
    }

    private func statistics(_ name: QualifiedName, on connection: isolated PgConnection) throws -> [String] {
        // Only the names of the object and of the view differ, at the beginning and at the end of what PostgreSQL prints.
        try connection.query(
            """
            SELECT s FROM pg_statistic_ext x CROSS JOIN LATERAL (
                SELECT pg_get_statisticsobjdef(x.oid), format('%I.%I', $2::text, x.stxname),
                    length(format('CREATE STATISTICS %I.%I ', (SELECT nspname FROM pg_namespace WHERE oid = x.stxnamespace), x.stxname)),
                    length(' FROM ' || x.stxrelid::regclass::text)
            ) d (text, new, head, tail) CROSS JOIN LATERAL (
                SELECT 1, format('CREATE STATISTICS %s %s FROM %s', d.new, substr(d.text, d.head + 1, length(d.text) - d.head - d.tail), $3::text)
                UNION ALL
                SELECT 2, format('ALTER STATISTICS %s SET STATISTICS %s', d.new, x.stxstattarget) WHERE nullif(x.stxstattarget, -1) IS NOT NULL
                UNION ALL
                SELECT 3, format('COMMENT ON STATISTICS %s IS %L', d.new, m) FROM obj_description(x.oid, 'pg_statistic_ext') m WHERE m IS NOT NULL
                UNION ALL
                SELECT 4, format('ALTER STATISTICS %s OWNER TO %I', d.new, pg_get_userbyid(x.stxowner)) WHERE x.stxowner <> current_user::regrole
            ) y (position, s) WHERE x.stxrelid = $1 ORDER BY x.stxname, y.position
            """, [.int(oid), .text(name.schema), .text(name.sql)]
        ).rows.map { try $0.value() }
    }

    private func comments(_ name: QualifiedName, on connection: isolated PgConnection) throws -> [String] {
        try connection.query(
            """
            SELECT CASE m.objsubid WHEN 0 THEN format('COMMENT ON MATERIALIZED VIEW %s IS %L', $2::text, m.description)
                ELSE format('COMMENT ON COLUMN %s.%I IS %L', $2::text, a.attname, m.description) END
            FROM pg_description m LEFT JOIN pg_attribute a ON a.attrelid = m.objoid AND a.attnum = m.objsubid
            WHERE m.classoid = 'pg_class'::regclass AND m.objoid = $1
            UNION ALL
            SELECT format('COMMENT ON TYPE %s IS %L', $2::text, m)
            FROM pg_type CROSS JOIN LATERAL obj_description(oid, 'pg_type') m WHERE typrelid = $1 AND m IS NOT NULL ORDER BY 1
            """, [.int(oid), .text(name.sql)]
        ).rows.map { try $0.value() }
    }
}
