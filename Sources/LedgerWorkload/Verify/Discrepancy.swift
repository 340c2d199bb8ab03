/// A difference between the ledger and the table.
public struct Discrepancy: Sendable, CustomStringConvertible {
    public enum Kind: String, Sendable, Hashable {
        /// An acknowledged row is not in the table.
        case missing = "row missing"
        /// A row that was never acknowledged, or whose deletion was.
        case unexpected = "row that there must not be"
        case changed = "row with other values"
        case duplicated = "key found more than once"
        /// Of a transaction with an unknown outcome there is neither everything nor nothing in the table.
        case torn = "transaction of unknown outcome neither committed nor rolled back as a whole"
        /// A shared counter is not the sum of its increments.
        case counter = "counter that is not the sum of its increments"
    }

    public let kind: Kind
    public let key: String
    /// For a changed row only the columns that differ.
    public let expected: String
    public let found: String
    /// The client's last operations on the key, oldest first.
    public let history: [String]

    public var description: String {
        var lines = ["\(kind.rawValue): key \(key)", "  expected: \(expected)", "  found:    \(found)"]
        lines += history.map { "  \($0)" }
        return lines.joined(separator: "\n")
    }
}
