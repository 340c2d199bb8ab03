import PgConnection

extension ReplicationSlot {
    /// A transaction for which the creation of a slot waits, or may have to.
    public struct OlderTransaction: Hashable, Sendable {
        /// nil for a prepared transaction, which has no session.
        public let pid: Int32?
        public let user: String?
        public let applicationName: String?
        public let database: String?
        /// As in `pg_stat_activity`, or `prepared`.
        public let state: String?
        /// When the transaction began, as PostgreSQL prints it in the session's time zone.
        public let transactionStart: String?
        /// How long ago that is, in seconds.
        public let age: Double?
        /// The session's present or last statement; a prepared transaction's identifier. nil when the role may not see it.
        public let query: String?
        /// The creation waits for exactly this one at present.
        public let isWaitedFor: Bool
    }

    static func olderTransactionsSQL(creator pid: Int32) -> String {
        """
        WITH waited AS (
            SELECT transactionid AS xid FROM pg_catalog.pg_locks
            WHERE pid = \(pid) AND locktype = 'transactionid' AND NOT granted)
        SELECT pid, usename AS who, application_name, datname AS database, state, xact_start AS began, query,
            EXTRACT(epoch FROM pg_catalog.clock_timestamp() - xact_start)::pg_catalog.float8 AS age,
            backend_xid IN (SELECT xid FROM waited) AS is_waited_for
        FROM pg_catalog.pg_stat_activity
        WHERE backend_xid IS NOT NULL AND pid NOT IN (\(pid), pg_catalog.pg_backend_pid())
        UNION ALL
        SELECT NULL, owner, NULL, database, 'prepared', prepared, gid,
            EXTRACT(epoch FROM pg_catalog.clock_timestamp() - prepared)::pg_catalog.float8,
            transaction IN (SELECT xid FROM waited)
        FROM pg_catalog.pg_prepared_xacts
        ORDER BY began
        """
    }

    /// The transactions of all databases that have written something and are not finished, oldest first: these are what
    /// `create` waits for. To be asked on another connection than the one that creates.
    ///
    /// - Parameter creator: the `backendPID` of the connection that creates the slot.
    public static func olderTransactions(
        creator pid: Int32, on connection: PgConnection
    ) async throws -> [OlderTransaction] {
        try await connection.execute(olderTransactionsSQL(creator: pid)).rows.map { row in
            OlderTransaction(
                pid: try row.optional("pid"), user: try row.optional("who"),
                applicationName: try row.optional("application_name"), database: try row.optional("database"),
                state: try row.optional("state"), transactionStart: try row.optional("began"),
                age: try row.optional("age"), query: try row.optional("query"),
                isWaitedFor: try row.optional("is_waited_for") ?? false)
        }
    }
}
