import PgConnection

/// A view or a function, which PostgreSQL stores as a parsed query: the relations in it are OIDs and no names.
struct StoredQuery: Sendable, Equatable {
    enum Kind: String, Sendable {
        case view
        case materializedView = "materialized view"
        case function

        /// The beginning of the refusals' codes.
        var code: String { self == .materializedView ? "materialized-view" : rawValue }
    }

    var kind: Kind
    var oid: UInt32
    var name: QualifiedName
    /// With arguments for a function, as a person would say it.
    var title: String
    /// What the query uses, sorted.
    var uses: [Use]

    struct Use: Sendable, Hashable {
        var object: Object
        /// 0 for the whole of it.
        var column: Int
    }

    enum Object: Sendable, Hashable {
        /// A table, a view or a sequence; or its row type.
        case relation(UInt32)
        case function(UInt32)
    }

    var object: Object { kind == .function ? .function(oid) : .relation(oid) }
}

/// The views and functions that use the migrated tables, directly or through each other.
struct StoredQueries: Sendable {
    /// Everything comes after what it uses.
    var ordered: [StoredQuery]
    /// Those that use each other in a circle, and whatever uses these.
    var circular: [StoredQuery]

    static func read(_ tables: [MigratedTable], on connection: isolated PgConnection) throws -> Self {
        let names = try connection.query(
            closure + """
                SELECT k.kind, c.oid, n.nspname, c.relname, format('%s %I.%I', k.kind, n.nspname, c.relname) AS title
                FROM reached x JOIN pg_class c ON c.oid = x.objid JOIN pg_namespace n ON n.oid = c.relnamespace
                CROSS JOIN LATERAL (SELECT CASE c.relkind WHEN 'm' THEN 'materialized view' ELSE 'view' END) k (kind)
                WHERE x.classid = 'pg_class'::regclass AND c.relkind IN ('v', 'm')
                UNION ALL
                SELECT 'function', p.oid, n.nspname, p.proname, CASE p.prokind WHEN 'p' THEN 'procedure ' WHEN 'a' THEN 'aggregate ' ELSE 'function ' END
                    || format('%I.%I(%s)', n.nspname, p.proname, pg_get_function_identity_arguments(p.oid))
                FROM reached x JOIN pg_proc p ON p.oid = x.objid JOIN pg_namespace n ON n.oid = p.pronamespace
                WHERE x.classid = 'pg_proc'::regclass
                ORDER BY 1, 3, 4, 5
                """,
            [
                .array(tables.map { String($0.sourceOID) }),
                .array(tables.flatMap(\.compatViews).map { String($0.oid) }),
            ])
        var queries = try names.rows.compactMap { row -> StoredQuery? in
            guard let kind = StoredQuery.Kind(rawValue: try row.get("kind")) else { return nil }
            return StoredQuery(
                kind: kind, oid: try row.get("oid"),
                name: QualifiedName(schema: try row.get("nspname"), name: try row.get("relname")),
                title: try row.get("title"), uses: [])
        }
        for index in queries.indices { queries[index].uses = try queries[index].readUses(on: connection) }
        return sorted(queries)
    }

    /// Pure. Among those that are ready, the first one in the given order comes first.
    static func sorted(_ queries: [StoredQuery]) -> Self {
        var left = queries
        var ordered: [StoredQuery] = []
        while true {
            let pending = Set(left.map(\.object))
            let next = left.firstIndex { query in
                // A function may call itself, which is no obstacle.
                !query.uses.contains { $0.object != query.object && pending.contains($0.object) }
            }
            guard let next else { return Self(ordered: ordered, circular: left) }
            ordered.append(left.remove(at: next))
        }
    }

    /// The head of a query with the OIDs of tables as `$1`, and of views that do not count as `$2`: in `reached` are the tables, what belongs to them, and all that uses them
    /// through views and functions.
    private static let closure = """
        WITH RECURSIVE reached (classid, objid) AS (
            SELECT 'pg_class'::regclass::oid, t.oid FROM unnest($1::oid[]) t (oid)
            UNION
            SELECT o.classid, o.objid FROM reached r
            CROSS JOIN LATERAL (
                SELECT 'pg_type'::regclass::oid, y.oid FROM pg_class c JOIN pg_type t ON t.oid = c.reltype
                CROSS JOIN LATERAL (VALUES (t.oid), (t.typarray)) y (oid)
                WHERE r.classid = 'pg_class'::regclass AND c.oid = r.objid AND y.oid <> 0
                UNION ALL
                SELECT 'pg_constraint'::regclass, k.oid FROM pg_constraint k
                WHERE r.classid = 'pg_class'::regclass AND k.conrelid = r.objid
                UNION ALL
                SELECT 'pg_class'::regclass, s.oid FROM pg_depend d JOIN pg_class s ON s.oid = d.objid AND s.relkind = 'S'
                WHERE r.classid = 'pg_class'::regclass AND r.objid = ANY ($1::oid[]) AND d.refclassid = r.classid AND d.refobjid = r.objid
                    AND d.classid = 'pg_class'::regclass AND d.refobjsubid > 0 AND d.deptype = 'i'
                UNION ALL
                SELECT 'pg_class'::regclass, v.oid
                FROM pg_depend d JOIN pg_rewrite w ON w.oid = d.objid AND w.rulename = '_RETURN'
                JOIN pg_class v ON v.oid = w.ev_class AND v.relkind IN ('v', 'm')
                WHERE d.refclassid = r.classid AND d.refobjid = r.objid AND d.classid = 'pg_rewrite'::regclass
                    AND v.oid <> ALL ($2::oid[])
                UNION ALL
                SELECT 'pg_proc'::regclass, d.objid FROM pg_depend d
                WHERE d.refclassid = r.classid AND d.refobjid = r.objid AND d.classid = 'pg_proc'::regclass
            ) o (classid, objid))

        """
}

extension StoredQuery {
    /// A view's uses are those of its rule.
    func readUses(on connection: isolated PgConnection) throws -> [Use] {
        let holder =
            kind != .function
            ? """
            d.classid = 'pg_rewrite'::regclass AND d.objid = (SELECT oid FROM pg_rewrite WHERE ev_class = $1 AND rulename = '_RETURN')
            AND (d.refclassid, d.refobjid) <> ('pg_class'::regclass, $1)
            """ : "d.classid = 'pg_proc'::regclass AND d.objid = $1"
        return try Use.read(where: holder, oid, on: connection)
    }
}

extension StoredQuery.Use {
    /// - Parameter condition: on `pg_depend d`, with the OID as `$1`.
    static func read(where condition: String, _ oid: UInt32, on connection: isolated PgConnection) throws -> [Self] {
        try connection.query(
            """
            SELECT DISTINCT d.refclassid = 'pg_proc'::regclass AS is_function,
                CASE d.refclassid WHEN 'pg_type'::regclass THEN coalesce(t.typrelid, e.typrelid) WHEN 'pg_constraint'::regclass THEN k.conrelid
                    ELSE d.refobjid END AS object,
                CASE d.refclassid WHEN 'pg_class'::regclass THEN d.refobjsubid ELSE 0 END AS number
            FROM pg_depend d
            LEFT JOIN pg_type t ON d.refclassid = 'pg_type'::regclass AND t.oid = d.refobjid AND t.typrelid <> 0
            LEFT JOIN pg_type l ON d.refclassid = 'pg_type'::regclass AND l.oid = d.refobjid AND l.typcategory = 'A'
            LEFT JOIN pg_type e ON e.oid = l.typelem AND e.typarray = l.oid AND e.typrelid <> 0
            LEFT JOIN pg_constraint k ON d.refclassid = 'pg_constraint'::regclass AND k.oid = d.refobjid AND k.conrelid <> 0
            WHERE \(condition) AND d.refclassid IN ('pg_class'::regclass, 'pg_type'::regclass, 'pg_constraint'::regclass, 'pg_proc'::regclass)
                AND (d.refclassid <> 'pg_type'::regclass OR t.oid IS NOT NULL OR e.oid IS NOT NULL)
                AND (d.refclassid <> 'pg_constraint'::regclass OR k.oid IS NOT NULL)
            ORDER BY 1, 2, 3
            """, [.int(oid)]
        ).rows.map { row in
            let object: UInt32 = try row.get("object")
            return Self(
                object: try row.get("is_function") ? .function(object) : .relation(object),
                column: try row.get("number"))
        }
    }
}
