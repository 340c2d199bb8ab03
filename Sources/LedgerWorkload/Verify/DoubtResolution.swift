/// Decides what became of the transactions whose COMMIT nobody answered, and, knowing that, what the shared counters must be.
struct DoubtResolution {
    let book: LedgerBook
    /// The rows of all keys concerned, as they are in the table.
    let found: [Key: LogicalRow]

    private enum Verdict {
        case committed
        case rolledBack
        /// The transaction did nothing that can be seen in its own rows.
        case undecidable
        case torn
    }

    func discrepancies() -> [Discrepancy] {
        var all: [Discrepancy] = []
        var certain = Array(repeating: 0, count: book.hotRows.count)
        var possible = certain
        for ledger in book.ledgers {
            for (hot, count) in ledger.increments.enumerated() { certain[hot] += count }
            for transaction in ledger.inDoubt {
                switch verdict(transaction) {
                case .committed: for hot in transaction.effect.increments { certain[hot] += 1 }
                case .rolledBack: break
                case .undecidable: for hot in transaction.effect.increments { possible[hot] += 1 }
                case .torn: all += torn(transaction)
                }
            }
        }
        for (hot, row) in book.hotRows.enumerated() {
            all += check(row, certain[hot]...(certain[hot] + possible[hot]))
        }
        return all
    }

    private func verdict(_ transaction: DoubtfulTransaction) -> Verdict {
        let own = transaction.effect.changes.filter { !book.isReused($0) }
        if own.count < transaction.effect.changes.count {
            return own.allSatisfy({ found[$0.key] == $0.before }) ? .rolledBack : .torn
        }
        let changes = transaction.effect.changes.filter { $0.before != $0.after }
        if changes.isEmpty {
            // Rows that it left as they were must still be so.
            return transaction.effect.changes.allSatisfy({ found[$0.key] == $0.after }) ? .undecidable : .torn
        }
        let unchanged = transaction.effect.changes.filter { $0.before == $0.after }
        guard unchanged.allSatisfy({ found[$0.key] == $0.after }) else { return .torn }
        if changes.allSatisfy({ found[$0.key] == $0.after }) { return .committed }
        return changes.allSatisfy({ found[$0.key] == $0.before }) ? .rolledBack : .torn
    }

    private func torn(_ transaction: DoubtfulTransaction) -> [Discrepancy] {
        transaction.effect.changes.map { change in
            Discrepancy(
                kind: .torn, key: change.key.description,
                expected: "\(show(change.after)) with all of the transaction, or \(show(change.before)) without it",
                found: show(found[change.key]), history: book.history(change.key))
        }
    }

    private func check(_ hot: HotRow, _ sums: ClosedRange<Int>) -> [Discrepancy] {
        func differs(_ kind: Discrepancy.Kind, _ expected: String) -> [Discrepancy] {
            [
                Discrepancy(
                    kind: kind, key: hot.key.description, expected: expected, found: show(found[hot.key]), history: [])
            ]
        }
        guard let row = found[hot.key] else { return differs(.missing, show(hot.row)) }
        guard let counter = book.table.counter else { return [] }
        var expected = hot.row
        expected.values[counter] = row.values[counter]
        if expected != row { return differs(.changed, show(hot.row) + ", but for the counter") }
        guard let value = row.values[counter].flatMap({ Int($0) }), sums.contains(value) else {
            let sum = sums.count == 1 ? "\(sums.lowerBound)" : "\(sums.lowerBound) to \(sums.upperBound)"
            return differs(.counter, "\(sum) in \(book.table.columns[counter].name)")
        }
        return []
    }

    private func show(_ row: LogicalRow?) -> String {
        row.map { LogicalRow.show($0.values) } ?? "no row"
    }
}
