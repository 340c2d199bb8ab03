/// What `status --json` prints: where a migration stands. The names are part of the command line's contract.
public struct MigrationStatus: Codable, Sendable, Equatable {
    public enum Condition: String, Codable, Sendable {
        case running
        case throttled
        case paused
        case waiting
        /// It cannot be continued; `reason` says why, and what to do.
        case failed
    }

    public struct Table: Codable, Sendable, Equatable {
        public var table: String
        /// nil while PostgreSQL has no estimate.
        public var rowsEstimated: Int64?
        public var rowsCopied: Int64
        /// Of the pages that are to be copied, 0 to 100.
        public var percent: Double

        enum CodingKeys: String, CodingKey {
            case table
            case rowsEstimated = "rows_estimated"
            case rowsCopied = "rows_copied"
            case percent
        }
    }

    public struct CutOver: Codable, Sendable, Equatable {
        public var attempts = 0
        public var lastError: String?
        public var lastHoldMs: Double?
        public var longestWaitMs: Double?

        enum CodingKeys: String, CodingKey {
            case attempts
            case lastError = "last_error"
            case lastHoldMs = "last_hold_ms"
            case longestWaitMs = "longest_wait_ms"
        }
    }

    public struct Verify: Codable, Sendable, Equatable {
        /// Rows of the live tables that were compared with the new ones.
        public var rowsChecked: Int64 = 0
        /// Rows that differed: repaired, unless it failed.
        public var mismatches: Int64 = 0
        /// nil when there was none.
        public var outcome: VerificationOutcome?
        /// `full` or `sample=N%`; nil where it is not known.
        public var mode: String?
        /// As PostgreSQL prints them.
        public var startedAt: String?
        public var endedAt: String?
        /// The columns that are not compared.
        public var uncompared: [String]?

        enum CodingKeys: String, CodingKey {
            case rowsChecked = "rows_checked"
            case mismatches, outcome, mode
            case startedAt = "started_at"
            case endedAt = "ended_at"
            case uncompared
        }
    }

    public var name: String
    public var phase: Phase
    public var condition: Condition
    public var reason: String?
    public var ready: Bool
    public var tables: [Table]
    public var dirtyKeysSpooled: Int64
    public var keysRefreshed: Int64
    public var streamLagBytes: Int64?
    public var retainedWALBytes: Int64?
    public var cutOver: CutOver
    /// Who would be in the way of the cut-over now; empty before the new table is in sync.
    public var blockers: [Blocker] = []
    public var verify: Verify
    /// ISO 8601 with time zone, as PostgreSQL prints it.
    public var startedAt: String
    public var elapsedSeconds: Double
    /// Until the new table is ready; 0 once it is; nil while unknown.
    public var etaSeconds: Double?
    /// Until the phase ends; nil while unknown.
    public var phaseEtaSeconds: Double?
    public var rollbackPossible: Bool
    public var message: String
    /// How many sessions may copy at this moment; nil when nothing is copied, or the run is not asked itself.
    public var copyLanes: Int?
    /// How long the oldest transaction of ours is open; nil when none is.
    public var oldestTransactionSeconds: Double?

    enum CodingKeys: String, CodingKey {
        case name, phase, condition, reason, ready, tables, blockers
        case dirtyKeysSpooled = "dirty_keys_spooled"
        case keysRefreshed = "keys_refreshed"
        case streamLagBytes = "stream_lag_bytes"
        case retainedWALBytes = "retained_wal_bytes"
        case cutOver = "cut_over"
        case verify
        case startedAt = "started_at"
        case elapsedSeconds = "elapsed_seconds"
        case etaSeconds = "eta_seconds"
        case phaseEtaSeconds = "phase_eta_seconds"
        case rollbackPossible = "rollback_possible"
        case message
        case copyLanes = "copy_lanes"
        case oldestTransactionSeconds = "oldest_transaction_seconds"
    }
}

extension MigrationStatus {
    /// What is unknown is left out, but for `eta_seconds`, which is null: whoever reads it wants to be told that there is none.
    public func encode(to encoder: any Encoder) throws {
        var container = encoder.container(keyedBy: CodingKeys.self)
        try container.encode(name, forKey: .name)
        try container.encode(phase, forKey: .phase)
        try container.encode(condition, forKey: .condition)
        try container.encodeIfPresent(reason, forKey: .reason)
        try container.encode(ready, forKey: .ready)
        try container.encode(tables, forKey: .tables)
        try container.encode(dirtyKeysSpooled, forKey: .dirtyKeysSpooled)
        try container.encode(keysRefreshed, forKey: .keysRefreshed)
        try container.encodeIfPresent(streamLagBytes, forKey: .streamLagBytes)
        try container.encodeIfPresent(retainedWALBytes, forKey: .retainedWALBytes)
        try container.encode(cutOver, forKey: .cutOver)
        try container.encode(blockers, forKey: .blockers)
        try container.encode(verify, forKey: .verify)
        try container.encode(startedAt, forKey: .startedAt)
        try container.encode(elapsedSeconds, forKey: .elapsedSeconds)
        try container.encode(etaSeconds, forKey: .etaSeconds)
        try container.encodeIfPresent(phaseEtaSeconds, forKey: .phaseEtaSeconds)
        try container.encode(rollbackPossible, forKey: .rollbackPossible)
        try container.encode(message, forKey: .message)
        try container.encodeIfPresent(copyLanes, forKey: .copyLanes)
        try container.encodeIfPresent(oldestTransactionSeconds, forKey: .oldestTransactionSeconds)
    }
}
