/// A transaction while it is being decided upon: its statements, and the rows as it sees them itself.
struct Draft: Sendable {
    private(set) var steps: [Step] = []
    private var rows: [Key: LogicalRow?] = [:]
    private var order: [Key] = []
    private(set) var increments: [Int] = []
    var rowsWithNewKeys: [LogicalRow] = []

    mutating func add(_ step: Step) { steps.append(step) }

    mutating func set(_ key: Key, _ row: LogicalRow?) {
        if rows.updateValue(row, forKey: key) == nil { order.append(key) }
    }

    mutating func increment(_ hot: Int) { increments.append(hot) }

    /// The row in this transaction's eyes; outer nil: the transaction has not touched the key.
    func row(_ key: Key) -> LogicalRow?? { rows[key] }

    /// Takes back what has happened since the savepoint was made, except for the statements, which are sent anyway.
    mutating func rollBack(to savepoint: Draft) {
        let sent = steps
        self = savepoint
        steps = sent
    }

    /// What differs from the ledger in the end.
    func changes(against ledger: ClientLedger) -> [RowChange] {
        order.map { key in
            RowChange(key: key, before: ledger.rows[key], after: rows[key].flatMap { $0 })
        }
    }
}
