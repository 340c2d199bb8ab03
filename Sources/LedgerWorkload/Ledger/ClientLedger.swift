/// What one client knows about its keys, by acknowledged commits and nothing else.
struct ClientLedger: Sendable {
    /// Every row of this client that is committed, but those in doubt.
    private(set) var rows: [Key: LogicalRow] = [:]
    /// The keys of `rows`.
    private(set) var live = KeyPool()
    /// Keys whose row this client has deleted and not inserted again.
    private(set) var deleted = KeyPool()
    /// Transactions whose COMMIT was sent and not answered. Their keys are left alone from then on.
    private(set) var inDoubt: [DoubtfulTransaction] = []
    /// Acknowledged increments of each shared hot row.
    private(set) var increments: [Int]
    private(set) var history = KeyHistory()

    init(hotRows: Int) {
        increments = Array(repeating: 0, count: hotRows)
    }

    /// Takes over a row that was in the table before the load began.
    mutating func adopt(_ key: Key, _ row: LogicalRow) {
        rows[key] = row
        live.insert(key)
    }

    mutating func acknowledge(_ transaction: TransactionEffect) {
        for change in transaction.changes {
            rows[change.key] = change.after
            if change.after != nil {
                live.insert(change.key)
                deleted.remove(change.key)
            } else {
                live.remove(change.key)
                deleted.insert(change.key)
            }
        }
        for hot in transaction.increments { increments[hot] += 1 }
        history.note(transaction, .acknowledged)
    }

    mutating func doubt(_ transaction: TransactionEffect) {
        for change in transaction.changes {
            rows[change.key] = nil
            live.remove(change.key)
            deleted.remove(change.key)
        }
        inDoubt.append(DoubtfulTransaction(effect: transaction))
        history.note(transaction, .inDoubt)
    }

    /// The transaction had no effect: it failed, or was rolled back.
    mutating func reject(_ transaction: TransactionEffect) {
        history.note(transaction, .withoutEffect)
    }
}

/// What a transaction does if it commits.
struct TransactionEffect: Sendable {
    let operation: OperationKind
    /// The client's operations are numbered from 1.
    let number: Int
    /// At most one change for a key: the state before the transaction, and the state after it.
    var changes: [RowChange]
    /// The shared hot rows incremented by one each, in ascending order; a row may occur several times.
    let increments: [Int]

    /// False for one that only read, or rolled back what it had done.
    var changesRows: Bool { !changes.isEmpty || !increments.isEmpty }
}

/// A transaction of which nobody knows whether it was committed; all or nothing of it was.
struct DoubtfulTransaction: Sendable {
    let effect: TransactionEffect
}
