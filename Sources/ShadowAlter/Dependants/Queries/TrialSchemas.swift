import PgConnection

/// Where the stand-ins live during a trial: the new tables, and views and functions that are made anew.
///
/// Every schema gets one of its own for them, so that what was printed under a `search_path` of schemas finds them under the path in which each
/// schema comes after that of its stand-ins. Everything is gone when the savepoint is rolled back.
struct TrialSchemas {
    /// For relations: the one in whose place it comes.
    private(set) var originals: [UInt32: UInt32]
    /// The numbers of the columns of new tables, and those of the columns for which they stand.
    private var numbers: [UInt32: [Int: Int]]
    private var functions: [UInt32: UInt32] = [:]
    /// By the name of the schema.
    private var schemas: [String: [String]]
    private var made: [String: String] = [:]
    /// What a query that uses one of them must be tried for.
    private(set) var changed: [StoredQuery.Object: QualifiedName]

    init(_ tables: [MigratedTable], on connection: isolated PgConnection) throws {
        originals = [:]
        changed = [:]
        schemas = [:]
        var numbers: [UInt32: [Int: Int]] = [:]
        for table in tables {
            originals[table.greenOID] = table.sourceOID
            changed[.relation(table.sourceOID)] = table.source
            schemas[table.source.schema] = [table.green.schema]
            let columns = try ColumnFacts.read(table.sourceOID, on: connection)
            for column in try ColumnFacts.read(table.greenOID, on: connection) {
                let name = table.columns.first { $0.greenName == column.name }?.name
                let number = columns.first { $0.name == name }?.number
                numbers[table.greenOID, default: [:]][column.number] = number ?? Self.added
            }
            for pair in try Self.identitySequences(table, on: connection) {
                originals[pair.green] = pair.source
                changed[.relation(pair.source)] = pair.name
            }
        }
        self.numbers = numbers
    }

    /// An identity column's sequence is exchanged with the table.
    private static func identitySequences(
        _ table: MigratedTable, on connection: isolated PgConnection
    ) throws -> [(source: UInt32, green: UInt32, name: QualifiedName)] {
        try connection.query(
            """
            WITH owned AS (
                SELECT d.refobjid AS relation, s.oid, s.relname, n.nspname
                FROM pg_depend d JOIN pg_class s ON s.oid = d.objid AND s.relkind = 'S' JOIN pg_namespace n ON n.oid = s.relnamespace
                WHERE d.classid = 'pg_class'::regclass AND d.refclassid = 'pg_class'::regclass AND d.deptype = 'i')
            SELECT s.oid AS source, g.oid AS green, s.nspname, s.relname FROM owned s JOIN owned g ON g.relname = s.relname
            WHERE s.relation = $1 AND g.relation = $2 ORDER BY s.oid
            """, [.int(table.sourceOID), .int(table.greenOID)]
        ).rows.map { row in
            (
                try row.get("source"), try row.get("green"),
                QualifiedName(schema: try row.get("nspname"), name: try row.get("relname"))
            )
        }
    }

    func needsTrial(_ uses: [StoredQuery.Use]) -> Bool {
        uses.contains { changed[$0.object] != nil }
    }

    /// Whether what a text uses on the stand-ins is what it uses now. The deparsed text is trusted no further than this: it must mean the same
    /// tables, views and columns. Functions and casts may well be others after the change of a type.
    func areSame(_ found: [StoredQuery.Use], _ wanted: [StoredQuery.Use]) -> Bool {
        Set(found.map(original).filter { $0.object.relation != nil })
            == Set(wanted.filter { $0.object.relation != nil })
    }

    /// The number of a column that is not in the old table.
    private static let added = -1_000

    static let otherMeaning = "on the new table its text would mean other tables or columns"
    static let ambiguous =
        "it uses relations of the same name in different schemas, which makes it impossible to try it on the new table"

    /// The schemas in an order in which all of the names mean these very objects, when they are not qualified; nil when there is none.
    func path(for objects: Set<StoredQuery.Object>, on connection: isolated PgConnection) throws -> [String]? {
        let names = objects.compactMap { object in changed[object].map { (object, $0) } }
        let schemas = Set(names.map(\.1.schema)).sorted()
        for first in schemas {
            let path = [first] + schemas.filter { $0 != first }
            try Self.setPath(path, on: connection)
            let visible = try names.allSatisfy { try Self.isVisible($0.0, on: connection) }
            if visible { return path }
        }
        return nil
    }

    private static func isVisible(_ object: StoredQuery.Object, on connection: isolated PgConnection) throws -> Bool {
        switch object {
        case .relation(let oid):
            try connection.query("SELECT pg_table_is_visible($1::oid)", [.int(oid)]).single().value()
        case .function(let oid):
            try connection.query("SELECT pg_function_is_visible($1::oid)", [.int(oid)]).single().value()
        }
    }

    static func setPath(_ schemas: [String], on connection: isolated PgConnection) throws {
        try connection.query(
            "SELECT pg_catalog.set_config('search_path', $1, true)", [.text(Quoting.identifiers(schemas))])
    }

    /// The path under which the names mean the stand-ins, where there are such.
    func standIns(_ path: [String]) -> [String] {
        var seen: Set<String> = []
        return path.flatMap { (schemas[$0] ?? []) + [$0] }.filter { seen.insert($0).inserted }
    }

    /// The schema for stand-ins of what is in this one. The name is our session's own: nobody has to wait for somebody else's trial.
    mutating func schema(for schema: String, on connection: isolated PgConnection) throws -> String {
        if let name = made[schema] { return name }
        let name = "shadow_alter_trial_\(connection.backendPID)_\(made.count)"
        try connection.execute("CREATE SCHEMA \(Quoting.identifier(name))")
        made[schema] = name
        schemas[schema, default: []].append(name)
        return name
    }

    mutating func add(_ query: StoredQuery, standIn oid: UInt32) {
        changed[query.object] = query.name
        switch query.kind {
        case .view, .materializedView: originals[oid] = query.oid
        case .function: functions[oid] = query.oid
        }
    }

    /// A table in the place of the one that a rule belongs to, with all of these columns.
    mutating func add(_ relation: UInt32, _ name: QualifiedName, _ columns: [ColumnFacts], standIn oid: UInt32) {
        changed[.relation(relation)] = name
        originals[oid] = relation
        numbers[oid] = Dictionary(uniqueKeysWithValues: columns.enumerated().map { ($0 + 1, $1.number) })
    }

    func standIn(of relation: UInt32) -> UInt32? {
        originals.first { $0.value == relation }?.key
    }

    /// The same, with the originals instead of their stand-ins.
    private func original(_ use: StoredQuery.Use) -> StoredQuery.Use {
        switch use.object {
        case .function(let oid): .init(object: .function(functions[oid] ?? oid), column: use.column)
        case .relation(let oid):
            .init(object: .relation(originals[oid] ?? oid), column: numbers[oid]?[use.column] ?? use.column)
        }
    }
}
