import PgConnection

/// An object that hangs on a migrated table by its OID, and that the swap takes from the old table to the new one.
///
/// All statements name everything with its schema, so that they mean the same under any `search_path`.
public struct Dependant: Codable, Sendable, Equatable {
    public enum Kind: String, Codable, Sendable, CaseIterable {
        case partition
        case function
        case view
        case materializedView = "materialized view"
        case rule
        case trigger
        case policy
        case foreignKey = "foreign key"
        case publication
    }

    public var kind: Kind
    /// As a person would say it, beginning with the kind: `view reporting.totals`, `trigger audit on public.orders`.
    public var name: String
    /// What is built before the cut-over, once the new tables are complete; nil for what is only made in it.
    public var preparation: Preparation?
    /// Executed inside the cut-over, under the lock, while the old table is still in its place: take the object from there.
    public var remove: [String]
    /// Executed inside the cut-over once the new table is in the old one's place: make the object again.
    public var restore: [String]
    /// Executed after the cut-over, one by one, each in a transaction of its own and under no lock that stops reading or writing:
    /// `VALIDATE CONSTRAINT`. May be executed again after an interruption.
    public var settle: [String] = []
    /// Other relations than the migrated tables that the cut-over locks on behalf of this object.
    public var locks: [RelationLock] = []
    /// Relations (views) whose own definition the statements above were made from; it is compared again under the lock.
    public var relations: [UInt32] = []
    /// Functions whose definition the statements above were made from.
    public var functions: [UInt32] = []
    /// What the statements rely on without saying so; another text means another object.
    public var facts: [String] = []

    public init(kind: Kind, name: String, remove: [String], restore: [String]) {
        self.kind = kind
        self.name = name
        self.remove = remove
        self.restore = restore
    }
}

/// A relation of the green schema that takes long to be built, and is only moved into its place by the cut-over.
public struct Preparation: Codable, Sendable, Equatable {
    /// When it is there, it is complete: all statements are executed in one transaction.
    public var relation: QualifiedName
    public var statements: [String]

    public init(relation: QualifiedName, statements: [String]) {
        self.relation = relation
        self.statements = statements
    }
}

/// A relation that the cut-over locks in ACCESS EXCLUSIVE mode, beside the tables that it exchanges.
public struct RelationLock: Codable, Sendable, Hashable {
    public var oid: UInt32
    public var relation: QualifiedName
    public var kind: Kind
    /// Whether all partitions of a partitioned table are locked with it, also those that are added after the plan was made.
    public var withPartitions: Bool
    /// Of a partitioned table: how far it is from the root of its tree, which is 0; nil for a table that holds rows itself.
    public var depth: Int?

    public enum Kind: String, Codable, Sendable {
        /// Locked together with the migrated tables, by one LOCK TABLE: partitioned ones from the root downwards, then by OID.
        case table
        /// Locked before all tables, outer views first, which is the order in which queries lock them; one that came the other way round
        /// would wait for us at the table while we wait for it at the view.
        case view
    }

    public init(
        oid: UInt32, relation: QualifiedName, kind: Kind, withPartitions: Bool = false, depth: Int? = nil
    ) {
        self.oid = oid
        self.relation = relation
        self.kind = kind
        self.withPartitions = withPartitions
        self.depth = depth
    }
}
