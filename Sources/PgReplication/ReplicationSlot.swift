import PgConnection
import PgOutput

/// A logical replication slot of the plugin pgoutput.
public enum ReplicationSlot {
    public static func createSQL(name: String) -> String {
        """
        SELECT lsn::pg_catalog.text
        FROM pg_catalog.pg_create_logical_replication_slot(\(Quoting.literal(name)), 'pgoutput')
        """
    }

    public static func dropSQL(name: String) -> String {
        "SELECT pg_catalog.pg_drop_replication_slot(\(Quoting.literal(name)))"
    }

    /// Ends a walsender, but only while the slot is its own: the pid may be another process's by now.
    public static func terminateSQL(name: String, walSender pid: Int32) -> String {
        """
        SELECT pg_catalog.pg_terminate_backend(active_pid) FROM pg_catalog.pg_replication_slots
        WHERE slot_name = \(Quoting.literal(name)) AND active_pid = \(pid)
        """
    }

    /// Creates the slot and returns the position from which it is consistent.
    ///
    /// Takes no table lock. It waits for every transaction of the *cluster* that has written something, or is prepared, when
    /// it begins (SnapBuildWaitSnapshot in src/backend/replication/logical/snapbuild.c): as long as these last, or until
    /// `lock_timeout` (55P03). `olderTransactions` tells for whom, on another connection. Cancelling the task ends the
    /// wait; nothing is left then. It must not be called in a transaction that has written anything.
    public static func create(name: String, on connection: PgConnection) async throws -> LSN {
        let sql = createSQL(name: name)
        return try await connection.cancellable { connection in
            try connection.execute(sql).single().lsn("lsn")
        }
    }

    /// Drops the slot; returns false when there was none. Takes no table lock.
    ///
    /// - Parameters:
    ///   - walSender: our own walsender, if we know it, to be ended when it still uses the slot.
    ///   - limit: how long to try again while the slot is active.
    /// - Throws: `server(.objectInUse)` when somebody uses the slot after that time; the slot is left as it was.
    @discardableResult
    public static func drop(
        name: String, walSender: Int32? = nil, on connection: PgConnection, limit: Duration = .seconds(5)
    ) async throws -> Bool {
        let deadline = ContinuousClock.now + limit
        while true {
            do {
                try await connection.execute(dropSQL(name: name))
                return true
            } catch let error as PgError where error.sqlState == .undefinedObject {
                return false
            } catch let error as PgError where error.sqlState == .objectInUse {
                guard ContinuousClock.now < deadline else { throw error }
                if let walSender { try await connection.execute(terminateSQL(name: name, walSender: walSender)) }
                try await Task.sleep(for: .milliseconds(50))
            }
        }
    }
}

extension PgRow {
    package func lsn(_ column: String) throws -> LSN {
        guard let lsn = try optionalLSN(column) else {
            throw PgError(code: .unexpectedResult, message: "column \(column) is NULL instead of a log position")
        }
        return lsn
    }

    func optionalLSN(_ column: String) throws -> LSN? {
        guard let text: String = try optional(column) else { return nil }
        guard let lsn = LSN(text) else {
            throw PgError(code: .unexpectedResult, message: "column \(column) is \(text), which is no log position")
        }
        return lsn
    }
}
