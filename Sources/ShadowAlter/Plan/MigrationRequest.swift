/// What somebody asked for: which change, under which name, done in which way.
public struct MigrationRequest: Codable, Sendable, Hashable {
    public enum Change: Codable, Sendable, Hashable {
        /// The clauses of one `ALTER TABLE`; empty rebuilds the table as it is.
        case alter(table: String, clauses: String)
        /// Statements that, executed with the green schema first in `search_path`, turn clones into what is wanted.
        case script(String)
    }

    public enum Strategy: String, Codable, Sendable, CaseIterable {
        case auto
        case native
        case shadow
    }

    public var change: Change
    /// nil: the table's name.
    public var name: String?
    public var strategy: Strategy
    /// The publications of all tables or of a schema that need not stop the migration, by their names.
    public var allowedPublications: [String]
    /// What the way back needs to be told; a part of the change.
    public var reverse: [ReverseExpression]
    /// The shapes that applications find beside the live table.
    public var compatViews: [CompatView]

    public init(
        change: Change, name: String? = nil, strategy: Strategy = .auto, allowedPublications: [String] = [],
        reverse: [ReverseExpression] = [], compatViews: [CompatView] = []
    ) {
        self.change = change
        self.name = name
        self.strategy = strategy
        self.allowedPublications = allowedPublications
        self.reverse = reverse
        self.compatViews = compatViews
    }
}
