/// Everything that all clients together know about the table.
struct LedgerBook: Sendable {
    let table: WorkloadTable
    let ledgers: [ClientLedger]
    let untouched: InitialRows
    let hotRows: [HotRow]
    /// Whether the key of an insert that never was committed may be given to another one.
    let mayReuseKeys: Bool

    /// What a key's row has to be.
    enum Expectation: Sendable {
        case row(LogicalRow)
        /// The row of `untouched` with this number.
        case untouched(Int)
        /// Nothing alone: the transaction as a whole decides.
        case inDoubt
        case hot(Int)
        case absent
    }

    private let doubtful: Set<Key>
    private let hotIndex: [Key: Int]

    init(
        table: WorkloadTable, ledgers: [ClientLedger], untouched: InitialRows, hotRows: [HotRow],
        mayReuseKeys: Bool = false
    ) {
        self.table = table
        self.ledgers = ledgers
        self.untouched = untouched
        self.hotRows = hotRows
        self.mayReuseKeys = mayReuseKeys
        let inDoubt = ledgers.flatMap(\.inDoubt).flatMap(\.effect.changes).map(\.key)
        doubtful = Set(inDoubt.filter { key in !(mayReuseKeys && ledgers.contains { $0.rows[key] != nil }) })
        hotIndex = Dictionary(hotRows.enumerated().map { ($1.key, $0) }) { first, _ in first }
    }

    func expectation(_ key: Key) -> Expectation {
        if doubtful.contains(key) { return .inDoubt }
        if let hot = hotIndex[key] { return .hot(hot) }
        for ledger in ledgers {
            if let row = ledger.rows[key] { return .row(row) }
        }
        if let index = untouched.index(of: key) { return .untouched(index) }
        return .absent
    }

    /// Whether a row that was inserted under this key cannot have been committed, because another client was told so of its own.
    func isReused(_ change: RowChange) -> Bool {
        mayReuseKeys && change.before == nil && ledgers.contains { $0.rows[change.key] != nil }
    }

    func history(_ key: Key) -> [String] {
        ledgers.enumerated().flatMap { client, ledger in ledger.history.lines(key).map { "client \(client), \($0)" } }
    }
}

/// A row whose counter everybody increments.
struct HotRow: Sendable {
    let key: Key
    let row: LogicalRow
}
