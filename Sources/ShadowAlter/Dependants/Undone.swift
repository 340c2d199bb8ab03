import PgConnection

extension PgConnection {
    /// Runs `body` in a savepoint of the caller's transaction that is rolled back in any case, also when an error has failed the
    /// transaction. May be nested.
    func undone<Value>(_ body: (isolated PgConnection) throws -> Value) throws -> Value {
        try execute("SAVEPOINT shadow_alter_undone")
        let result = Result { try body(self) }
        // A lost connection has nothing to be rolled back; its error is the one to be told.
        do {
            try execute("ROLLBACK TO SAVEPOINT shadow_alter_undone; RELEASE SAVEPOINT shadow_alter_undone")
        } catch {
            _ = try result.get()
            throw error
        }
        return try result.get()
    }

    /// Why PostgreSQL does not accept the statements; nil when it does. Nothing of them remains.
    func rejection(of statements: [String]) throws -> PgError? {
        do {
            try undone { connection in
                for statement in statements { try connection.execute(statement) }
            }
            return nil
        } catch let error as PgError where !error.isConnectionLoss && error.sqlState != .lockNotAvailable {
            return error
        }
    }
}
