import PgConnection

/// Makes a complete copy of a partitioned table's definition with all that is below it: each table with its own columns, options, owner and
/// indexes, attached as the original is.
struct TreeClone: Sendable {
    let root: PlannedTable
    let greenSchema: String

    /// The partitioned tables and the leaves, parents before their partitions.
    func create(on connection: isolated PgConnection) throws -> [ClonedTable] {
        let tree = try PartitionTree.read(root.sourceOID, on: connection)
        let indexes = try TreeIndexes.read(tree, on: connection)
        var clones: [ClonedTable] = []
        for node in tree.nodes {
            let oid = try TableClone(
                source: node.name, sourceOID: node.oid, green: green(node), standing: .inTree(key: node.key)
            ).create(on: connection)
            clones.append(ClonedTable(table: root.member(node, of: tree), green: green(node), greenOID: oid))
        }
        // While nothing has an index but the leaves: PostgreSQL would build what it does not find, or attach another one.
        for node in tree.nodes {
            guard let parent = tree.parent(of: node), let bound = node.bound else { continue }
            try connection.execute(
                "ALTER TABLE \(green(parent).sql) ATTACH PARTITION \(green(node).sql) \(bound)")
        }
        for statement in indexes.statements(on: green) { try connection.execute(statement) }
        return clones
    }

    private func green(_ node: PartitionTree.Node) -> QualifiedName {
        QualifiedName(schema: greenSchema, name: node.name.name)
    }
}

extension PlannedTable {
    /// A table and everything below it, parents before their partitions.
    func expanded(on connection: isolated PgConnection) throws -> [PlannedTable] {
        guard isPartitioned else { return [self] }
        let tree = try PartitionTree.read(sourceOID, on: connection)
        return tree.nodes.map { member($0, of: tree) }
    }

    fileprivate func member(_ node: PartitionTree.Node, of tree: PartitionTree) -> PlannedTable {
        var lineage: [UInt32] = []
        var next: PartitionTree.Node? = node
        while let ancestor = next {
            lineage.append(ancestor.oid)
            next = tree.parent(of: ancestor)
        }
        return PlannedTable(
            source: node.name, sourceOID: node.oid, isPartitioned: node.kind == "p", lineage: lineage.reversed())
    }
}
