import PgConnection

/// A partitioned table that a migration exchanges. It has no rows of its own, so that nothing is copied; its partitions have plans of theirs.
public struct ParentPlan: Codable, Sendable, Equatable {
    public var source: QualifiedName
    public var sourceOID: UInt32
    /// The new table under its final name in the green schema.
    public var green: QualifiedName
    /// How far it is from the root of its tree, which is 0.
    public var depth: Int
    /// What becomes of the source's columns, in their order.
    public var columns: [ColumnPlan]
    public var sequences: [SequencePlan]
    /// The digest of the source's catalog entries.
    public var fingerprint: String
}

/// A table that takes another one's place, with rows or without.
struct Exchange: Sendable, Equatable {
    var source: QualifiedName
    var sourceOID: UInt32
    var green: QualifiedName
    var columns: [ColumnPlan]
    var sequences: [SequencePlan]
    var fingerprint: String

    /// The name that the new table will have.
    var live: QualifiedName { QualifiedName(schema: source.schema, name: green.name) }
}

extension TablePlan {
    var exchange: Exchange {
        Exchange(
            source: source, sourceOID: sourceOID, green: green, columns: columns, sequences: sequences,
            fingerprint: fingerprint)
    }
}

extension ParentPlan {
    var exchange: Exchange {
        Exchange(
            source: source, sourceOID: sourceOID, green: green, columns: columns, sequences: sequences,
            fingerprint: fingerprint)
    }
}

extension MigrationPlan {
    /// All tables that are exchanged, partitioned ones first, from the root downwards.
    var exchanges: [Exchange] { parents.map(\.exchange) + tables.map(\.exchange) }

    /// The roots of partitioned tables.
    var roots: [ParentPlan] { parents.filter { $0.depth == 0 } }
}

extension MigrationPlan {
    /// For messages.
    var oldTables: String { exchanges.count == 1 ? "the old table" : "the old tables" }
    var oldTablesFollow: String { exchanges.count == 1 ? "the old table follows" : "the old tables follow" }
    var oldTablesAre: String { exchanges.count == 1 ? "the old table is" : "the old tables are" }
}

extension MigrationPlan {
    /// The new tables that ANALYZE is to be told of: roots, and tables that are not below one.
    var analyzed: [QualifiedName] {
        roots.map(\.green) + tables.filter { !$0.isInTree }.map(\.green)
    }
}
