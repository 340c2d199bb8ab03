import CLibPQ

extension PgConnection {
    /// Runs `body` in a transaction: commits when it returns, rolls back when it throws.
    ///
    /// Throws what `body` throws; `commitOutcomeUnknown` when the connection is lost while COMMIT is in progress;
    /// `unexpectedResult` when a transaction is open already, or has failed without the body throwing. The body
    /// may await other things; the connection is free for others meanwhile, so that only one task may own it.
    public func transaction<Value: Sendable>(
        _ body: @Sendable (isolated PgConnection) async throws -> Value
    ) async throws -> Value {
        try begin()
        let value: Value
        do {
            value = try await body(self)
        } catch {
            try? rollBack()
            throw error
        }
        try commit()
        return value
    }

    /// Runs `body` in a transaction that is rolled back in any case.
    public func rolledBackTransaction<Value: Sendable>(
        _ body: @Sendable (isolated PgConnection) async throws -> Value
    ) async throws -> Value {
        try begin()
        let value: Value
        do {
            value = try await body(self)
        } catch {
            try? rollBack()
            throw error
        }
        try rollBack()
        return value
    }

    /// BEGIN inside a transaction only warns; the inner COMMIT would then end the outer one.
    private func begin() throws {
        guard handle.pointer == nil || transactionStatus == PQTRANS_IDLE || transactionStatus == PQTRANS_UNKNOWN else {
            throw PgError(
                code: .unexpectedResult,
                message: "a transaction is open on this connection already; it was left as it is and none was begun",
                statement: "BEGIN")
        }
        try execute("BEGIN")
    }

    private func commit() throws {
        // COMMIT outside a transaction only warns: what the body has done would have been committed, or not, before.
        guard transactionStatus != PQTRANS_IDLE else {
            throw PgError(
                code: .unexpectedResult,
                message: "the transaction was ended by one of its own statements before its COMMIT", statement: "COMMIT"
            )
        }
        do {
            let tag = try execute("COMMIT").commandTag
            // COMMIT of a failed transaction succeeds as ROLLBACK.
            guard tag == "COMMIT" else {
                throw PgError(
                    code: .unexpectedResult,
                    message: "the transaction had failed before its COMMIT and was rolled back", statement: "COMMIT")
            }
        } catch let error as PgError where error.isConnectionLoss {
            // A closed connection never sent it, so nothing was committed.
            guard handle.pointer != nil else { throw error }
            var unknown = error
            unknown.code = .commitOutcomeUnknown
            throw unknown
        }
    }

    private func rollBack() throws {
        guard handle.pointer != nil, transactionStatus != PQTRANS_IDLE else { return }
        try execute("ROLLBACK")
    }
}
