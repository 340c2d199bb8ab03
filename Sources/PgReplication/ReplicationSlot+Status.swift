import PgConnection
import PgOutput

extension ReplicationSlot {
    /// What `pg_replication_slots` says about a slot.
    public struct Status: Hashable, Sendable {
        public let name: String
        /// The output plugin; nil for a physical slot.
        public let plugin: String?
        public let database: String?
        /// The walsender that uses it.
        public let activePID: Int32?
        /// The oldest log that the slot keeps; nil when it keeps none, as an invalidated one.
        public let restartLSN: LSN?
        public let confirmedFlushLSN: LSN?
        /// `reserved`, `extended`, `unreserved`, `lost`.
        public let walStatus: String?
        /// Log kept for the slot, in bytes; nil when it keeps none.
        public let retainedBytes: Int64?
        /// Log that may still be written before the slot is in danger, in bytes; nil without `max_slot_wal_keep_size`.
        public let safeBytes: Int64?
        /// Why the slot is invalid (PostgreSQL 17+: `invalidation_reason`; 16: `conflicting`; before: `wal_removed`).
        public let invalidationReason: String?

        /// The slot is of no use any more.
        public var isInvalid: Bool { invalidationReason != nil || walStatus == "lost" }
    }

    static func findSQL(name: String, version: ServerVersion) -> String {
        let reason =
            switch version.major {
            case 17...: "invalidation_reason"
            // 16 says "conflicting" of every invalid slot, and takes restart_lsn only from one whose log was removed
            // (InvalidatePossiblyObsoleteSlot in src/backend/replication/slot.c).
            case 16:
                "CASE WHEN wal_status = 'lost' AND restart_lsn IS NULL THEN 'wal_removed' WHEN conflicting THEN 'conflict' END"
            default: "CASE WHEN wal_status = 'lost' THEN 'wal_removed' END"
            }
        return """
            SELECT slot_name, plugin, database, active_pid, restart_lsn, confirmed_flush_lsn, wal_status, safe_wal_size,
                pg_catalog.pg_wal_lsn_diff(
                    CASE WHEN pg_catalog.pg_is_in_recovery() THEN pg_catalog.pg_last_wal_replay_lsn()
                    ELSE pg_catalog.pg_current_wal_lsn() END, restart_lsn)::pg_catalog.int8 AS retained,
                \(reason) AS reason
            FROM pg_catalog.pg_replication_slots WHERE slot_name = \(Quoting.literal(name))
            """
    }

    /// The slot's state; nil when there is none of this name. Takes no lock beyond the look.
    public static func find(name: String, on connection: PgConnection) async throws -> Status? {
        let sql = findSQL(name: name, version: connection.serverVersion)
        guard let row = try await connection.execute(sql).first else { return nil }
        return Status(
            name: try row.get("slot_name"), plugin: try row.optional("plugin"), database: try row.optional("database"),
            activePID: try row.optional("active_pid"), restartLSN: try row.optionalLSN("restart_lsn"),
            confirmedFlushLSN: try row.optionalLSN("confirmed_flush_lsn"), walStatus: try row.optional("wal_status"),
            retainedBytes: try row.optional("retained"), safeBytes: try row.optional("safe_wal_size"),
            invalidationReason: try row.optional("reason"))
    }
}
