import PgConnection

/// The views of the old shape, from the exchange until `finalize` or the exchange back.
enum CompatViews {
    /// What makes them, for the exchange: once the new tables have their names.
    static func statements(_ record: MigrationRecord, on connection: isolated PgConnection) throws -> [String] {
        let tables = record.tables.filter { $0.plan.compat != nil }
        guard !tables.isEmpty else { return [] }
        try connection.query("SELECT set_config('search_path', '', true)")
        let views = try tables.compactMap { table in
            try table.plan.compat.map { shape in
                CompatSQL(
                    shape: shape,
                    facts: try CompatFacts.read(
                        shape, sourceOID: table.plan.sourceOID, greenOID: table.greenOID, on: connection))
            }
        }
        let path = "SELECT pg_catalog.set_config('search_path', "
        return CompatSQL.createSchema(CompatView.old.schema(of: record.plan.name), for: views.map(\.facts))
            + [path + Quoting.literal(record.plan.searchPath) + ", true)"]
            + views.flatMap(\.create) + [path + "'', true)"]
    }

    /// The views that are there, by their names, which only they can have.
    static func present(_ shapes: [CompatShape], on connection: isolated PgConnection) throws -> [(CompatShape, UInt32)]
    {
        guard !shapes.isEmpty else { return [] }
        return try shapes.compactMap { shape in
            let row = try connection.query(
                """
                SELECT c.oid FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace
                WHERE n.nspname = $1 AND c.relname = $2 AND c.relkind = 'v'
                """, [.text(shape.view.schema), .text(shape.view.name)]
            ).first
            return try row.map { (shape, try $0.value()) }
        }
    }
}

/// Takes the views away in the exchange back: they are locked with the others, before the tables, and nothing is made in their place.
struct CompatViewReader: DependantReader {
    func read(_ tables: [MigratedTable], on connection: isolated PgConnection) throws -> [Dependant] {
        let views = tables.flatMap(\.compatViews)
        guard !views.isEmpty else { return [] }
        let users = try users(of: views, on: connection)
        guard users.isEmpty else {
            throw Refused.compatView(
                views.map(\.shape.view.description).joined(separator: ", "),
                "\(users.joined(separator: ", ")) is built on it, or stands in its schema",
                "the view shows the old shape, and goes with the exchange back",
                "drop or move what was built there")
        }
        return views.enumerated().map { index, view in
            var dependant = Dependant(
                kind: .view, name: "view \(view.shape.view) of --compat-view",
                remove: CompatSQL.drop(index == 0 ? views.map(\.shape) : []), restore: [])
            dependant.locks = [RelationLock(oid: view.oid, relation: view.shape.view, kind: .view)]
            dependant.relations = [view.oid]
            return dependant
        }
    }

    /// What somebody else has built on the views, or put into their schema.
    private func users(
        of views: [MigratedTable.CompatViewOID], on connection: isolated PgConnection
    ) throws -> [String] {
        try connection.query(
            """
            WITH own (classid, objid) AS (
                SELECT 'pg_class'::regclass::oid, v FROM unnest($1::oid[]) v
                UNION ALL SELECT 'pg_type'::regclass, y.oid FROM pg_class c JOIN pg_type t ON t.oid = c.reltype
                    CROSS JOIN LATERAL (VALUES (t.oid), (t.typarray)) y (oid) WHERE c.oid = ANY ($1::oid[])
                UNION ALL SELECT 'pg_namespace'::regclass, oid FROM pg_namespace WHERE nspname = $2
                UNION ALL SELECT 'pg_proc'::regclass, p.oid FROM pg_proc p JOIN pg_namespace n ON n.oid = p.pronamespace
                    WHERE n.nspname = $2 AND p.proname = ANY ($3::text[])),
            used AS (
                SELECT CASE WHEN w.oid IS NULL THEN d.classid ELSE 'pg_class'::regclass::oid END AS classid, coalesce(w.ev_class, d.objid) AS objid
                FROM own o JOIN pg_depend d ON d.refclassid = o.classid AND d.refobjid = o.objid
                LEFT JOIN pg_rewrite w ON d.classid = 'pg_rewrite'::regclass AND w.oid = d.objid
                WHERE d.classid NOT IN ('pg_trigger'::regclass, 'pg_attrdef'::regclass))
            SELECT DISTINCT pg_describe_object(classid, objid, 0) FROM used
            WHERE (classid, objid) NOT IN (SELECT classid, objid FROM own) ORDER BY 1
            """,
            [
                .array(views.map { String($0.oid) }), .text(views[0].shape.view.schema),
                .array(views.flatMap { view in CompatShape.Purpose.allCases.map { view.shape.function($0).name } }),
            ]
        ).rows.map { try $0.value() }
    }
}
