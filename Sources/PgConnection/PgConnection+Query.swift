import CLibPQ

extension PgConnection {
    /// Runs one statement with parameters (`$1`, …). Throws `server` with everything that PostgreSQL said.
    @discardableResult
    public func query(_ sql: String, _ parameters: [PgParameter] = []) throws -> PgResult {
        try handle.query(sql, parameters)
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

    /// Whether a transaction is open, and whether it has failed.
    public var transactionStatus: PGTransactionStatusType {
        PQtransactionStatus(handle.pointer)
    }
}
