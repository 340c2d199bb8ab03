import CLibPQ

extension PgConnection {
    /// Runs one statement with parameters (`$1`, …). Throws `server` with everything that PostgreSQL said.
    @discardableResult
    public func query(_ sql: String, _ parameters: [PgParameter] = []) throws -> PgResult {
        guard isRemembering, let name = try memory.name(for: sql, prepare: { try handle.prepare($0, sql) }) else {
            return try handle.query(sql, parameters)
        }
        return try handle.queryPrepared(name, parameters, statement: sql)
    }

    /// Runs `body`; in it, a statement that comes again is not parsed anew by the server, and not planned anew either where the server's
    /// `plan_cache_mode` has it so. What it says must not depend on more than its parameters: a table's columns may change in between.
    public func remembering<Value>(_ body: (isolated PgConnection) throws -> Value) rethrows -> Value {
        let before = isRemembering
        isRemembering = true
        defer { isRemembering = before }
        return try body(self)
    }

    /// Runs a statement that this session has prepared, by its unquoted name. Throws `server` with everything that PostgreSQL said.
    ///
    /// As drivers do it, and unlike SQL's EXECUTE, the snapshot is taken after the statement's locks (`exec_bind_message` in
    /// src/backend/tcop/postgres.c; `ExecuteQuery` in src/backend/commands/prepare.c).
    @discardableResult
    public func queryPrepared(_ name: String, _ parameters: [PgParameter] = []) throws -> PgResult {
        try handle.queryPrepared(name, parameters)
    }

    /// Runs one or several statements without parameters; as one transaction when there are several and none of them says
    /// otherwise. Returns the last one's answer.
    @discardableResult
    public func execute(_ sql: String) throws -> PgResult {
        recorded?.append(sql)
        return try handle.execute(sql)
    }

    /// Runs `body` and also returns what it has executed, in order, whether or not it was taken back; without what it has asked by `query`.
    package func recording<Value>(
        _ body: (isolated PgConnection) throws -> Value
    ) rethrows -> (value: Value, executed: [String]) {
        recorded = []
        defer { recorded = nil }
        let value = try body(self)
        return (value, recorded ?? [])
    }

    /// Runs several statements in one message, as one transaction when none is open. Returns the last one's answer.
    ///
    /// When one fails, nothing of those behind it is executed, and the error tells which it was (`statementIndex`), as long as each text is
    /// one statement.
    @discardableResult
    public func execute(_ statements: [String]) throws -> PgResult {
        try handle.execute(statements)
    }

    /// Whether a transaction is open, and whether it has failed.
    public var transactionStatus: PGTransactionStatusType {
        PQtransactionStatus(handle.pointer)
    }
}
