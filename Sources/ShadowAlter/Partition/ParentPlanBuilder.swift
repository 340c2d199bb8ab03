import PgConnection

/// Puts the plan of one partitioned table together.
struct ParentPlanBuilder {
    let tried: TriedTable

    func build(on connection: isolated PgConnection) throws -> (ParentPlan, warnings: [String]) {
        let clone = tried.clone
        let (sequences, warnings) = try SequenceReader(
            sourceOID: clone.sourceOID, green: clone.green, tracker: tried.tracker
        ).read(on: connection)
        let plan = ParentPlan(
            source: clone.source, sourceOID: clone.sourceOID, green: clone.green, depth: clone.table.depth,
            columns: tried.tracker.columns, sequences: sequences,
            fingerprint: try CatalogFingerprint.digest(of: clone.sourceOID, publication: nil, on: connection))
        return (plan, warnings)
    }
}

/// What completes a new partitioned table once its leaves have their indexes.
struct TreeCompletion {
    let rootOID: UInt32

    /// Returns the statements, and takes from the tree what they will make.
    func take(on connection: isolated PgConnection) throws -> [String] {
        let tree = try PartitionTree.read(rootOID, on: connection)
        let indexes = try TreeIndexes.read(tree, on: connection)
        let late = try tree.partitioned.map { ($0.name, try ConstraintReader.notValid(of: $0.oid, on: connection)) }
        let statements = indexes.statements { $0.name }
        // Those of the leaves that are no part of a partitioned one are taken by the leaves' own plans.
        for (node, indexes) in indexes.facts where node.kind == "p" {
            for index in indexes where index.parent == nil { try connection.execute(index.drop(from: node.name)) }
        }
        for (table, constraints) in late {
            for constraint in constraints { try connection.execute(constraint.drop(from: table)) }
        }
        return statements + late.flatMap { table, constraints in constraints.map { $0.add(to: table) } }
    }
}
