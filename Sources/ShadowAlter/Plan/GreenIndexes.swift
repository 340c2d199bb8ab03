import PgConnection

/// The indexes of a new table as the change has left them: what is built after the copy, and what is said then.
struct GreenIndexes: Sendable {
    /// The table's own, by which its rows are found.
    let own: [IndexFacts]
    /// What is built, each on the table that holds the rows.
    let built: [(table: QualifiedName, index: IndexFacts)]
    /// Everything below a partitioned table.
    let partitions: [QualifiedName]
    /// Constraints that hold for new rows only, on the tables that hold rows.
    private let late: [(table: QualifiedName, constraint: TableConstraint)]
    /// What makes a partitioned table's own indexes.
    private let completion: TreeCompletion?

    static func read(
        _ oid: UInt32, _ name: QualifiedName, on connection: isolated PgConnection
    ) throws -> GreenIndexes {
        let tree = try PartitionTree.read(oid, on: connection)
        let isPartitioned = tree.root?.kind == "p"
        let holders = isPartitioned ? tree.leaves.map { ($0.oid, $0.name) } : [(oid, name)]
        return GreenIndexes(
            own: try IndexReader.read(oid, on: connection),
            built: try holders.flatMap { oid, name in
                try IndexReader.read(oid, on: connection).map { (name, $0) }
            },
            partitions: isPartitioned ? tree.nodes.dropFirst().map(\.name) : [],
            late: try holders.flatMap { oid, name in
                try ConstraintReader.notValid(of: oid, on: connection).map { (name, $0) }
            },
            completion: isPartitioned ? try TreeCompletion.read(tree, on: connection) : nil)
    }

    /// In order, once everything is built.
    var afterwards: [String] {
        built.flatMap { $0.index.finishing(on: $0.table) } + late.map { $0.constraint.add(to: $0.table) }
            + (completion?.statements ?? [])
    }

    /// Whether an index is a part of one of the table's own, or that itself.
    func isPart(_ index: IndexFacts, of own: IndexFacts) -> Bool {
        var current: IndexFacts? = index
        while let next = current {
            if next.name == own.name { return true }
            current = next.parent.flatMap { parent in completion?.index(parent) }
        }
        return false
    }

    /// Takes away what will be built and said again.
    func strip(on connection: isolated PgConnection) throws {
        try completion?.strip(on: connection)
        // What was a part of a partitioned index has gone with it.
        for (table, index) in built where index.parent == nil || completion == nil {
            try connection.execute(index.drop(from: table))
        }
        for (table, constraint) in late { try connection.execute(constraint.drop(from: table)) }
    }
}
