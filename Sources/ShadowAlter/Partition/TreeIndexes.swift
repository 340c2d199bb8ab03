import PgConnection

/// The indexes of a tree. Those of the leaves are built after the copy, each under its own name; the partitioned ones are made out of them
/// without building anything, as pg_dump does it: ON ONLY, then ATTACH PARTITION.
struct TreeIndexes: Sendable {
    /// A table's indexes, those that hang on another one's included.
    let facts: [(node: PartitionTree.Node, indexes: [IndexFacts])]

    static func read(_ tree: PartitionTree, on connection: isolated PgConnection) throws -> TreeIndexes {
        TreeIndexes(facts: try tree.nodes.map { ($0, try IndexReader.read($0.oid, on: connection)) })
    }

    /// Makes the partitioned indexes, the lowest first, and attaches to each what belongs to it.
    ///
    /// - Parameter table: the table on which the indexes of a node are to be made.
    func statements(on table: (PartitionTree.Node) -> QualifiedName) -> [String] {
        let partitioned = facts.filter { $0.node.kind == "p" }
        let make = partitioned.flatMap { node, indexes in indexes.flatMap { $0.partitioned(on: table(node)) } }
        let attach = facts.reversed().flatMap { node, indexes in
            indexes.compactMap { index in
                index.parent.map { parent in
                    let schema = table(node).schema
                    return "ALTER INDEX \(QualifiedName(schema: schema, name: parent).sql) "
                        + "ATTACH PARTITION \(QualifiedName(schema: schema, name: index.name).sql)"
                }
            }
        }
        return make + attach
    }
}

extension IndexFacts {
    /// A partitioned index without any partition, and what is to be said about it.
    func partitioned(on table: QualifiedName) -> [String] {
        let quoted = Quoting.identifier(name)
        let make: String
        switch backing {
        case .none:
            make = "CREATE \(isUnique ? "UNIQUE " : "")INDEX \(quoted) ON ONLY \(table.sql) \(tail)"
        case .attachable(_, let attributes):
            let definition = constraintDefinition ?? ""
            let options = options.isEmpty ? "" : " WITH (\(options.joined(separator: ", ")))"
            let body = definition.hasSuffix(attributes) ? String(definition.dropLast(attributes.count)) : definition
            make = "ALTER TABLE ONLY \(table.sql) ADD CONSTRAINT \(quoted) \(body)\(options)\(attributes)"
        case .whole(let definition):
            make = "ALTER TABLE ONLY \(table.sql) ADD CONSTRAINT \(quoted) \(definition)"
        }
        let settings = tablespace.isEmpty ? [] : ["SET LOCAL default_tablespace = \(Quoting.literal(tablespace))"]
        let reset = tablespace.isEmpty ? [] : ["SET LOCAL default_tablespace = ''"]
        return settings + [make] + reset + remarks(on: table)
    }
}
