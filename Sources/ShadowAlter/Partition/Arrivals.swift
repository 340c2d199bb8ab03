import PgConnection

/// The partitions of a new table that takes an ordinary one's place. Somebody may have added some while the migration ran, because rows had
/// none to go to: they are as good as those that the plan knows.
struct Arrivals: Sendable {
    let table: TablePlan
    let tree: PartitionTree

    static func read(_ record: TableRecord, on connection: isolated PgConnection) throws -> Arrivals {
        Arrivals(table: record.plan, tree: try PartitionTree.read(record.greenOID, on: connection))
    }

    /// Everything below the new table that lies beside it.
    var partitions: [PartitionTree.Node] {
        tree.nodes.dropFirst().filter { $0.name.schema == table.green.schema }
    }

    /// Those that the plan does not know, the uppermost of each.
    private var newcomers: [(node: PartitionTree.Node, parent: PartitionTree.Node)] {
        tree.nodes.compactMap { node in
            guard !table.partitions.contains(node.name),
                let parent = tree.parent(of: node),
                parent.parentOID == nil || table.partitions.contains(parent.name)
            else { return nil }
            return (node, parent)
        }
    }

    /// Before the partitioned indexes are made, which are valid only when every partition has its part.
    var detach: [String] {
        newcomers.map { "ALTER TABLE \($1.name.sql) DETACH PARTITION \($0.name.sql)" }
    }

    /// ATTACH builds the indexes that a newcomer lacks.
    var attach: [String] {
        newcomers.map { "ALTER TABLE \($1.name.sql) ATTACH PARTITION \($0.name.sql) \($0.bound ?? "")" }
    }
}
