import PgConnection

/// Takes views away in the exchange: they are locked with the others, before the tables, and nothing is made in their place.
struct CompatViewReader: DependantReader {
    /// Throws `CompatViewsInUse`.
    func read(_ tables: [MigratedTable], on connection: isolated PgConnection) throws -> [Dependant] {
        let views = tables.flatMap(\.compatViews)
        if let use = try CompatViewsInUse.find(views, on: connection) { throw use }
        return views.enumerated().map { index, view in
            var dependant = Dependant(
                kind: .view, name: "view \(view.shape.view) of --compat-view",
                remove: CompatSQL.drop(index == 0 ? views.map(\.shape) : []), restore: [])
            dependant.locks = [RelationLock(oid: view.oid, relation: view.shape.view, kind: .view)]
            dependant.relations = [view.oid]
            return dependant
        }
    }
}

/// What somebody else has built on the views, or put into their schema: it is theirs, and the views cannot go before it.
struct CompatViewsInUse: Error, Equatable, CustomStringConvertible {
    let views: [QualifiedName]
    /// As PostgreSQL names objects, each with its schema; sorted, not empty.
    let objects: [String]

    var description: String {
        "\(objects.joined(separator: ", ")) is built on \(views.map(\.description).joined(separator: ", ")), or stands in its schema"
    }

    /// nil: nothing. Needs no privilege and takes no lock on anybody's relation.
    static func find(
        _ views: [CompatViews.Present], on connection: isolated PgConnection
    ) throws -> CompatViewsInUse? {
        guard let schema = views.first?.shape.view.schema else { return nil }
        let objects: [String] = try connection.query(
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
            SELECT DISTINCT i.type || ' ' || i.identity FROM used u
            CROSS JOIN LATERAL pg_identify_object(u.classid, u.objid, 0) i
            WHERE (u.classid, u.objid) NOT IN (SELECT classid, objid FROM own) AND i.identity IS NOT NULL ORDER BY 1
            """,
            [
                .array(views.map { String($0.oid) }), .text(schema),
                .array(views.flatMap { view in CompatShape.Purpose.allCases.map { view.shape.function($0).name } }),
            ]
        ).rows.map { try $0.value() }
        return objects.isEmpty ? nil : CompatViewsInUse(views: views.map(\.shape.view), objects: objects)
    }

    /// On the views that an exchange by this plan takes away.
    static func find(_ plan: MigrationPlan, on connection: isolated PgConnection) throws -> CompatViewsInUse? {
        let shapes = plan.leavingShapes
        guard !shapes.isEmpty else { return nil }
        return try find(CompatViews.present(shapes, on: connection), on: connection)
    }
}
