/// One statement of a script, and what the server must answer if everything is as the ledger says.
struct Step: Sendable {
    enum Action: Sendable {
        case execute(String)
        /// A statement that the session has prepared, by its name, with its parameters.
        case prepared(String, [String?])
        case copyIn(String, [UInt8])
    }

    enum Expectation: Sendable {
        case nothing
        case affected(Int)
        /// Exactly these rows, in any order: the key and its live columns.
        case rows([Key: [String?]])
        /// So many rows of one column, the keys that the server has chosen.
        case newKeys(Int)
    }

    let action: Action
    let expectation: Expectation

    init(_ sql: String, _ expectation: Expectation = .nothing) {
        action = .execute(sql)
        self.expectation = expectation
    }

    init(_ action: Action, _ expectation: Expectation) {
        self.action = action
        self.expectation = expectation
    }

    init(copyIn sql: String, _ data: [UInt8], rows: Int) {
        action = .copyIn(sql, data)
        expectation = .affected(rows)
    }

    var sql: String {
        switch action {
        case .execute(let sql), .copyIn(let sql, _): sql
        case .prepared(let name, let values):
            "prepared statement \(name) (\(values.map(Statements.literal).joined(separator: ", ")))"
        }
    }
}

/// An operation, decided upon completely before its first statement is sent: the decisions of a run depend on its seed, and
/// not on how fast the server answers.
struct Script: Sendable {
    enum Ending: Sendable {
        /// One statement, its own transaction.
        case autocommit
        case commit
        case rollback
    }

    let steps: [Step]
    let ending: Ending
    /// What the transaction does if it is committed; nothing for one that is to be rolled back.
    let effect: TransactionEffect
    /// Rows whose keys the server chooses; the answer to the step that expects `newKeys` has them, in this order.
    let rowsWithNewKeys: [LogicalRow]
}
