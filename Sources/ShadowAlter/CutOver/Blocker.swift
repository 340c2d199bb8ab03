import PgConnection

/// A session that the cut-over would have to wait for.
public struct Blocker: Sendable, Equatable, CustomStringConvertible {
    public enum Reason: Sendable, Equatable {
        /// Holds a lock on one of the tables, in a transaction that is not about to end.
        case lock(mode: String)
        /// Its snapshot is older than the complete new table: it would find rows missing, or all of them.
        case oldSnapshot
        /// A replication connection in a transaction, as the initial copy of a subscription is made in: it would read the new table with a
        /// snapshot from before the exchange, and the subscriber would miss what that does not see for ever.
        case initialCopy
    }

    /// nil for a prepared transaction.
    public let pid: Int32?
    public let reason: Reason
    public let user: String
    public let application: String
    /// `active`, `idle in transaction`, …, or the prepared transaction's name.
    public let state: String
    public let transactionSeconds: Double
    public let query: String

    public var description: String {
        let who = pid.map { "session \($0)" } ?? "prepared transaction"
        let what =
            switch reason {
            case .lock(let mode): "holds \(mode)"
            case .oldSnapshot: "has a snapshot from before the new table was complete"
            case .initialCopy: "may be making the initial copy of a subscription"
            }
        let since = "for \((transactionSeconds * 10).rounded() / 10) s"
        let application = application.isEmpty ? "" : ", \(application)"
        return "\(who) (\(user)\(application), \(state)) \(what) \(since): \(query.prefix(80))"
    }
}

/// Looks who is in the way, without asking for any lock.
struct BlockerFinder: Sendable {
    /// Everything that will be locked, without the partitions of those that are partitioned, and without the sequences of columns.
    let relations: [UInt32]
    /// nil where no copy is involved.
    let migrationID: Int64?
    /// A transaction that has held a lock for less than this is expected to end by itself within an attempt.
    let patience: Duration

    func find(on connection: isolated PgConnection) throws -> [Blocker] {
        guard let migrationID else { return try lockHolders(on: connection) }
        return try lockHolders(on: connection) + oldSnapshots(migrationID, on: connection)
            + InitialCopies(relations: relations).find(on: connection)
    }

    /// Autovacuum is named whatever its age: it gives way only to a request that waits for `deadlock_timeout`, longer than an attempt, and
    /// not at all when it works against wraparound.
    private func lockHolders(on connection: isolated PgConnection) throws -> [Blocker] {
        try connection.query(
            """
            SELECT a.pid, l.mode, coalesce(a.usename::text, p.owner::text, '') AS usename,
                coalesce(CASE WHEN a.backend_type <> 'client backend' THEN a.backend_type ELSE a.application_name END, '') AS application,
                coalesce(a.state, CASE WHEN a.pid IS NULL THEN p.gid ELSE 'active' END, '') AS state,
                extract(epoch FROM clock_timestamp() - coalesce(a.xact_start, p.prepared))::float8 AS seconds,
                coalesce(a.query, '') AS query
            FROM (SELECT pid, virtualtransaction, max(mode) AS mode FROM pg_locks
                  WHERE locktype = 'relation' AND granted
                    AND (relation = ANY ($1::oid[])
                        OR relation IN (SELECT p.relid FROM unnest($1::oid[]) r (oid), pg_partition_tree(r.oid) p)
                        OR relation IN (SELECT d.objid FROM pg_depend d JOIN pg_class s ON s.oid = d.objid AND s.relkind = 'S'
                            WHERE d.classid = 'pg_class'::regclass AND d.refclassid = 'pg_class'::regclass
                                AND d.refobjid = ANY ($1::oid[]) AND d.refobjsubid > 0 AND d.deptype IN ('a', 'i')))
                    AND database = (SELECT oid FROM pg_database WHERE datname = current_database())
                  GROUP BY pid, virtualtransaction) l
            LEFT JOIN pg_stat_activity a ON a.pid = l.pid
            LEFT JOIN pg_prepared_xacts p ON l.pid IS NULL
                AND l.virtualtransaction = '-1/' || p.transaction::text AND p.database = current_database()
            WHERE l.pid IS NULL
               OR (a.pid IS NOT NULL AND a.application_name NOT LIKE 'shadow-alter %'
                   AND (a.backend_type = 'autovacuum worker'
                        OR clock_timestamp() - a.xact_start > make_interval(secs => $2::float8)))
            ORDER BY seconds DESC NULLS LAST
            """, [.array(relations.map { String($0) }), .double(patience.seconds)]
        ).rows.map { try blocker($0, reason: .lock(mode: $0.get("mode"))) }
    }

    /// A REPEATABLE READ transaction that began before the new table was complete does not see all rows in it. READ COMMITTED ones hold a
    /// snapshot only while a statement runs.
    private func oldSnapshots(_ id: Int64, on connection: isolated PgConnection) throws -> [Blocker] {
        try connection.query(
            """
            SELECT a.pid, '' AS mode, coalesce(a.usename::text, '') AS usename, a.application_name AS application,
                coalesce(a.state, '') AS state, extract(epoch FROM clock_timestamp() - a.xact_start)::float8 AS seconds, a.query
            FROM pg_stat_activity a, shadow_alter.migration m
            WHERE m.id = $1 AND a.datname = current_database() AND a.backend_type = 'client backend'
              AND a.application_name NOT LIKE 'shadow-alter %'
              AND a.backend_xmin IS NOT NULL AND age(a.backend_xmin) > age(m.complete_horizon::xid)
              AND a.xact_start <= m.complete_at
            """, [.int(id)]
        ).rows.map { try blocker($0, reason: .oldSnapshot) }
    }

    private func blocker(_ row: PgRow, reason: Blocker.Reason) throws -> Blocker {
        try Blocker(row, reason: reason)
    }
}

extension Blocker {
    init(_ row: PgRow, reason: Reason) throws {
        self.init(
            pid: try row.optional("pid"), reason: reason, user: try row.get("usename"),
            application: try row.get("application"),
            state: try row.get("state"), transactionSeconds: try row.optional("seconds") ?? 0,
            query: try row.get("query"))
    }
}
