import PgConnection

/// Everything that was decided before the first row is copied. Recorded in the state tables, so that a rerun continues with
/// the same decisions.
public struct MigrationPlan: Codable, Sendable, Equatable {
    /// How the change will be made.
    public enum Strategy: String, Codable, Sendable {
        /// The same `ALTER TABLE` on the live table, under the cut-over's lock discipline: only where it touches nothing but catalogs.
        case native
        case shadow
    }

    public var name: String
    public var request: MigrationRequest
    public var strategy: Strategy
    /// Why this strategy, in one sentence for a person.
    public var strategyReason: String
    public var greenSchema: String
    public var blueSchema: String
    /// The `search_path` under which the request's names and expressions have the meaning that its author gave them.
    public var searchPath: String
    /// The time zone under which casts between `timestamp` and `timestamptz` have the meaning that the author gave them.
    public var timeZone: String
    /// The statements to run on the live table when the strategy is native; empty otherwise.
    public var nativeStatements: [String]
    /// In the order of the sources' OIDs, in which they will be locked.
    public var tables: [TablePlan]
    /// The partitioned tables above `tables` that are exchanged with them, from the root downwards.
    public var parents: [ParentPlan] = []
    /// Executed once all tables have their indexes: makes the partitioned tables' indexes out of them, which builds nothing.
    public var completion: [String] = []
    /// What hangs on the tables and moves with them, in the order in which it is made again after the exchange.
    public var dependants: [Dependant]
    /// What the subscribers of the user's publications have to do, and when.
    public var subscribers: [String] = []
    /// What the operator should know and what stops nothing.
    public var warnings: [String]
}
