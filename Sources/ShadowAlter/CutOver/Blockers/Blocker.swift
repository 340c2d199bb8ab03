import PgConnection

/// A session, or a prepared transaction, that the cut-over would have to wait for.
public struct Blocker: Codable, Sendable, Equatable, CustomStringConvertible {
    public enum Reason: String, Codable, Sendable {
        /// Holds a lock on one of the tables, in a transaction that is not about to end.
        case lock
        /// Its snapshot is older than the complete new table: it would find rows missing, or all of them.
        case oldSnapshot = "old-snapshot"
        /// A replication connection in a transaction, as the initial copy of a subscription is made in: it would read the new table with a
        /// snapshot from before the exchange, and the subscriber would miss what that does not see for ever.
        case initialCopy = "initial-copy"
        /// A standby feeds back a snapshot that is older than the complete new table. `pid` is the walsender's, `application` the standby's name.
        case standbySnapshot = "standby-snapshot"
    }

    /// nil for a prepared transaction.
    public var pid: Int32?
    public var reason: Reason
    public var user: String
    public var application: String
    /// `active`, `idle in transaction`, …, or the prepared transaction's name.
    public var state: String
    /// The locks that are in the way, with their tables; empty when it is not a lock.
    public var holds: String
    /// As the server prints them; nil when we may not see them.
    public var sessionStart: String?
    public var transactionStart: String?
    public var queryStart: String?
    /// Of a standby: for how long its snapshot has been too old.
    public var transactionSeconds: Double
    /// Why it is never ended on our behalf, whatever `--terminate-blockers` says; nil: it may be.
    public var protection: String?

    enum CodingKeys: String, CodingKey {
        case pid, reason, user, application, state, holds, protection
        case sessionStart = "session_start"
        case transactionStart = "transaction_start"
        case queryStart = "query_start"
        case transactionSeconds = "transaction_seconds"
    }

    public var description: String {
        let isStandby = reason == .standbySnapshot
        let who = pid.map { "\(isStandby ? "walsender" : "session") \($0)" } ?? "prepared transaction"
        let what =
            switch reason {
            case .lock: "holds \(holds)"
            case .oldSnapshot where transactionStart == nil:
                "may have a snapshot from before the new table was complete (when it began can be seen by members of pg_read_all_stats, where track_activities is on)"
            case .oldSnapshot: "has a snapshot from before the new table was complete"
            case .initialCopy: "may be making the initial copy of a subscription"
            case .standbySnapshot:
                "feeds back a standby's snapshot from before the new table was complete (`set standby-snapshots=ignore` passes over it)"
            }
        let application = application.isEmpty ? "" : ", \(application)"
        let query = queryStart.map { ", its last statement began at \($0)" } ?? ""
        let time = "\(isStandby ? "" : "in a transaction ")for \((transactionSeconds * 10).rounded() / 10) s"
        return "\(who) (\(user)\(application), \(state)) \(what), \(time)\(query)"
    }

    /// Tells this transaction from a later one of the same session, and from another session with the same process number.
    struct Identity: Hashable, Sendable {
        let pid: Int32?
        let state: String
        let sessionStart: String?
        let transactionStart: String?
    }

    var identity: Identity {
        // A prepared transaction's state is its name.
        Identity(
            pid: pid, state: pid == nil ? state : "", sessionStart: sessionStart, transactionStart: transactionStart)
    }
}

extension Blocker {
    /// What a query has to select of `pg_stat_activity`, known as `a` and joined from the left, but for `holds`.
    ///
    /// What we may not see is NULL there, the kind of session among it: then it is nobody that may be ended.
    static let columns = """
        a.pid, coalesce(a.usename::text, '') AS usename,
        coalesce(CASE WHEN a.backend_type <> 'client backend' THEN a.backend_type ELSE a.application_name END, '') AS application,
        coalesce(a.state, 'active') AS state, a.backend_start::text AS session_start, a.xact_start::text AS transaction_start,
        a.query_start::text AS query_start,
        coalesce(extract(epoch FROM clock_timestamp() - coalesce(a.xact_start, a.query_start, a.backend_start)), 0)::float8 AS seconds,
        CASE
            WHEN a.backend_type IS NULL THEN 'our role may not see what it is'
            WHEN a.backend_type = 'walsender' THEN 'it is a replication session'
            WHEN a.backend_type = 'autovacuum worker' AND a.query LIKE '%(to prevent wraparound)' THEN 'it vacuums against wraparound'
            WHEN a.backend_type NOT IN ('client backend', 'autovacuum worker') THEN 'it is a process of the server'
            WHEN (SELECT rolsuper FROM pg_roles r WHERE r.oid = a.usesysid) THEN 'it is a superuser''s'
        END AS protection
        """

    init(_ row: PgRow, reason: Reason, holds: String = "") throws {
        self.init(
            pid: try row.optional("pid"), reason: reason, user: try row.get("usename"),
            application: try row.get("application"), state: try row.get("state"), holds: holds,
            sessionStart: try row.optional("session_start"), transactionStart: try row.optional("transaction_start"),
            queryStart: try row.optional("query_start"), transactionSeconds: try row.get("seconds"),
            protection: try row.optional("protection"))
    }
}
