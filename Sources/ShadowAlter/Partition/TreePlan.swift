import PgConnection

/// A partitioned table that a migration builds: what there is about it beside the tables that hold rows.
public struct TreePlan: Codable, Sendable, Equatable {
    /// The partitioned tables, the root first, parents before their partitions.
    public var parents: [ParentPlan]
    /// The new tables that hold rows, as far as the plan knows them. Somebody may have added others.
    public var leaves: [QualifiedName]
    /// Executed once all leaves have their indexes: makes the partitioned indexes out of them, which builds nothing.
    public var indexes: [String]
}

/// A partitioned table of a tree that is built.
public struct ParentPlan: Codable, Sendable, Equatable {
    /// The partitioned table whose place it takes, with its OID; nil where an ordinary table becomes a partitioned one.
    public var source: QualifiedName?
    public var sourceOID: UInt32?
    /// The new table under its final name in the green schema.
    public var green: QualifiedName
    /// How far it is from the root, which is 0.
    public var depth: Int
    /// What becomes of the source's columns, in their order.
    public var columns: [ColumnPlan]
    public var sequences: [SequencePlan]
    /// The digest of the source's catalog entries; empty without a source.
    public var fingerprint: String
}
