import PgConnection

/// Finds the dependants of one kind.
protocol DependantReader: Sendable {
    /// In the order in which they are restored. The green tables have their indexes and constraints. Runs with an empty `search_path`, so that what PostgreSQL prints is qualified.
    ///
    /// Throws `Refused` for what cannot be carried over, by name.
    func read(_ tables: [MigratedTable], on connection: isolated PgConnection) throws -> [Dependant]

    /// Makes the objects on the green tables, which are empty and nobody else's yet, to find out whether PostgreSQL accepts them there.
    ///
    /// Called at plan time only, after `read`, with an empty `search_path`, inside a savepoint that is rolled back. The green tables have
    /// their indexes and constraints then. Takes no lock on anybody's relation beyond ACCESS SHARE. Throws `Refused`.
    func tryOut(_ tables: [MigratedTable], on connection: isolated PgConnection) throws
}

extension DependantReader {
    func tryOut(_ tables: [MigratedTable], on connection: isolated PgConnection) throws {}
}

/// What is known of a migrated table once the change has been tried on its clone.
struct MigratedTable: Sendable {
    let source: QualifiedName
    let sourceOID: UInt32
    let green: QualifiedName
    let greenOID: UInt32
    let columns: [ColumnPlan]
    /// Whether the partitioned table above it is exchanged, too.
    let isInTree: Bool
    /// What completes the green table: its indexes, and the constraints that stand on them.
    let completion: [String]

    /// What is below it and holds rows, as far as the plan knows it, under the names before and after the exchange; empty for a table that holds
    /// rows itself.
    var leaves: [Leaf] = []

    /// The views of other shapes that are ours and go with the exchange.
    var compatViews: [CompatViews.Present] = []

    struct Leaf: Sendable {
        let green: QualifiedName
        let live: QualifiedName
    }

    init(_ exchange: Exchange, greenOID: UInt32, isInTree: Bool, completion: [String] = []) {
        source = exchange.source
        sourceOID = exchange.sourceOID
        green = exchange.green
        self.greenOID = greenOID
        columns = exchange.columns
        self.isInTree = isInTree
        self.completion = completion
    }

    /// All tables of a plan, those that hold rows first.
    ///
    /// - Parameter greenOIDs: of the tables that hold rows, in their order.
    static func all(of plan: MigrationPlan, greenOIDs: [UInt32], on connection: isolated PgConnection) throws -> [Self]
    {
        let tables = try zip(plan.tables, greenOIDs).map { plan, oid in
            var table = Self(
                plan.exchange, greenOID: oid, isInTree: plan.isInTree,
                completion: plan.indexes.map(\.definition) + plan.afterIndexes)
            table.compatViews = try CompatViews.present(plan.compat.filter(\.goesWithExchange), on: connection)
            guard plan.isPartitioned else { return table }
            let tree = try PartitionTree.read(oid, on: connection)
            table.leaves = tree.leaves.filter { plan.partitions.contains($0.name) }.map { leaf in
                Leaf(green: leaf.name, live: QualifiedName(schema: plan.source.schema, name: leaf.name.name))
            }
            return table
        }
        let leaves = Dictionary(
            plan.tables.map { ($0.green, Leaf(green: $0.green, live: $0.exchange.live)) }, uniquingKeysWith: { $1 })
        let parents = try plan.parents.enumerated().map { index, parent in
            let oid: UInt32 = try connection.query(
                "SELECT $1::text::regclass::oid", [.text(parent.green.sql)]
            ).single().value()
            var table = Self(
                parent.exchange, greenOID: oid, isInTree: parent.depth > 0,
                completion: index == 0 ? plan.completion : [])
            table.leaves = try PartitionTree.read(oid, on: connection).leaves.compactMap { leaves[$0.name] }
            return table
        }
        return tables + parents
    }

    /// The name that the new table will have.
    var live: QualifiedName { QualifiedName(schema: source.schema, name: green.name) }
}

enum Dependants {
    /// One reader per kind, in the order in which the kinds are restored. To add a kind: a reader, and its line here.
    static let readers: [any DependantReader] = [
        PartitionReader(),
        QueryReader(),
        ForeignKeyReader(),
        TriggerReader(),
        PartitionTriggerReader(),
        PolicyReader(),
        PublicationReader(),
        CompatViewReader(),
    ]

    /// All dependants of the tables, in the order in which they are restored; they are removed in the opposite order.
    static func read(_ tables: [MigratedTable], on connection: isolated PgConnection) throws -> [Dependant] {
        try withEmptySearchPath(on: connection) { connection in
            try readers.flatMap { try $0.read(tables, on: connection) }
        }
    }

    /// The same at plan time, when the green tables have neither indexes nor constraints yet: they get them for as long as it takes.
    ///
    /// Also makes all dependants on the new tables, and takes that back. Throws `Refused` for those that PostgreSQL does not accept there.
    static func plan(_ tables: [MigratedTable], on connection: isolated PgConnection) throws -> [Dependant] {
        try connection.undone { connection in
            // Under the path that they were printed for.
            for statement in tables.flatMap(\.completion) { try connection.execute(statement) }
            let dependants = try read(tables, on: connection)
            try withEmptySearchPath(on: connection) { connection in
                for reader in readers { try reader.tryOut(tables, on: connection) }
            }
            return dependants
        }
    }

    private static func withEmptySearchPath<Value>(
        on connection: isolated PgConnection, _ body: (isolated PgConnection) throws -> Value
    ) throws -> Value {
        let path: String = try connection.query("SELECT current_setting('search_path')").single().value()
        try connection.query("SELECT set_config('search_path', '', true)")
        let value = try body(connection)
        try connection.query("SELECT set_config('search_path', $1, true)", [.text(path)])
        return value
    }
}
