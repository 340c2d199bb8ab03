/// The last few operations on every key that a client has touched, for the report of a discrepancy.
struct KeyHistory: Sendable {
    enum Outcome: String, Sendable {
        case acknowledged
        case inDoubt = "outcome unknown"
        case withoutEffect = "without effect"
    }

    struct Entry: Sendable {
        let operation: OperationKind
        let number: UInt32
        let outcome: Outcome
        let leftRow: Bool
    }

    /// Four entries of eight bytes for each key: enough to see how a row came to be what it is.
    static let depth = 4

    private var entries: [Key: [Entry]] = [:]

    mutating func note(_ transaction: TransactionEffect, _ outcome: Outcome) {
        for change in transaction.changes {
            let entry = Entry(
                operation: transaction.operation, number: UInt32(clamping: transaction.number), outcome: outcome,
                leftRow: change.after != nil)
            var known = entries[change.key, default: []]
            if known.count == Self.depth { known.removeFirst() }
            known.append(entry)
            entries[change.key] = known
        }
    }

    /// Oldest first, a line each.
    func lines(_ key: Key) -> [String] {
        entries[key, default: []].map { entry in
            "operation \(entry.number): \(entry.operation.rawValue), \(entry.outcome.rawValue), "
                + (entry.leftRow ? "row present after it" : "row gone after it")
        }
    }
}
