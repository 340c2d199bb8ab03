/// How a column is read back, as SQL expressions of type text over the table's columns.
///
/// The text is what the ledger compares: it must be the same before and after the migration for the same logical value.
public struct CanonicalForm: Sendable, Hashable {
    public let before: String
    public let after: String

    public init(before: String, after: String) {
        self.before = before
        self.after = after
    }

    /// One expression that PostgreSQL accepts, with the same outcome, before and after.
    public init(always expression: String) {
        self.init(before: expression, after: expression)
    }

    /// For reading while nobody knows which of the two definitions the table has.
    var live: String? { before == after ? before : nil }

    func expression(_ side: MigrationSide) -> String {
        switch side {
        case .before: before
        case .after: after
        }
    }
}

/// Which of its two definitions a table has.
public enum MigrationSide: Sendable, Hashable {
    case before
    case after
}
