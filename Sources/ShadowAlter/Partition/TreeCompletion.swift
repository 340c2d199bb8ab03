import PgConnection

/// What completes a new partitioned table once its leaves have their indexes.
struct TreeCompletion: Sendable {
    private let indexes: TreeIndexes
    private let late: [(table: QualifiedName, constraint: TableConstraint)]

    static func read(_ tree: PartitionTree, on connection: isolated PgConnection) throws -> TreeCompletion {
        TreeCompletion(
            indexes: try TreeIndexes.read(tree, on: connection),
            late: try tree.partitioned.flatMap { node in
                try ConstraintReader.notValid(of: node.oid, on: connection).map { (node.name, $0) }
            })
    }

    var statements: [String] {
        indexes.statements { $0.name } + late.map { $0.constraint.add(to: $0.table) }
    }

    func index(_ name: String) -> IndexFacts? {
        indexes.facts.lazy.flatMap(\.indexes).first { $0.name == name }
    }

    /// Takes away what the statements make, and with it the leaves' parts of it. Their other indexes stay.
    func strip(on connection: isolated PgConnection) throws {
        for (node, indexes) in indexes.facts where node.kind == "p" {
            for index in indexes where index.parent == nil { try connection.execute(index.drop(from: node.name)) }
        }
        for (table, constraint) in late { try connection.execute(constraint.drop(from: table)) }
    }
}
