import Logging
import PgConnection
import PgReplication

/// Once a second: one watermark through the stream, a look at the WAL that the slot holds, and at what other processes ask for.
struct Heartbeat: Sendable {
    let record: MigrationRecord
    let connection: PgConnection
    let stream: ChangeStream
    let settings: LiveSettings
    let throttle: Throttle
    let obedience: Obedience
    let status: StatusBox
    let log: Logger

    static let interval = Duration.seconds(1)
    /// How long a watermark may take before the heart beats without it.
    private static let patience = Duration.seconds(10)

    /// Runs until cancelled. Throws `aborted` on request, and `walLimit` after having given the slot up.
    func run() async throws {
        var told: Told?
        while true {
            try await Task.sleep(for: Self.interval)
            // A stream that stands still must not keep us from watching what it holds back.
            if let commit = try await beat(), status.snapshot.isInLanes {
                throttle.observe(commit: commit, isAlone: try await isAlone())
            }
            try await lookAround()
            try await tell(unless: &told)
        }
    }

    private struct Told: Equatable {
        var condition: MigrationStatus.Condition
        var reason: String?
    }

    /// Whether no session but ours has done anything on this server for the last seconds.
    private func isAlone() async throws -> Bool {
        try await connection.query(
            """
            SELECT NOT EXISTS (SELECT FROM pg_stat_activity
                WHERE backend_type = 'client backend' AND application_name NOT LIKE 'shadow-alter %' AND pid <> pg_backend_pid()
                  AND (state <> 'idle' OR state_change > clock_timestamp() - interval '3 seconds'))
            """
        ).single().value()
    }

    private func beat() async throws -> Duration? {
        do {
            return try await stream.drain(limit: Self.patience)
        } catch is DrainTimeout {
            return nil
        }
    }

    /// What a commit costs while nothing of ours is at work. Called before the copy starts.
    func measureBaseline() async throws {
        var samples: [Duration] = []
        for _ in 0..<9 { samples.append(try await stream.drain()) }
        throttle.setBaseline(samples)
    }

    private func lookAround() async throws {
        let end = try await connection.query("SELECT pg_current_wal_lsn()::text").single().value(as: String.self)
        let slot = try await ReplicationSlot.find(name: record.streamName, on: connection)
        try await obedience.look()
        let spooled = try await spooledKeys()
        status.update {
            $0.retainedWAL = slot?.retainedBytes
            $0.streamLag = stream.lag(behind: end)
            $0.spooledKeys = spooled
            $0.stop = throttle.stop
            $0.slowdown = $0.isInLanes ? throttle.slowdown : nil
        }
        if let retained = slot?.retainedBytes { try await guardWAL(retained) }
    }

    /// For those who only see the state tables.
    private func tell(unless told: inout Told?) async throws {
        let snapshot = status.snapshot
        let now = Told(condition: snapshot.condition, reason: snapshot.currentReason)
        guard now != told else { return }
        try await connection.run { [record] in
            try StateStore.setCondition(now.condition, reason: now.reason, of: record.id, on: $0)
        }
        told = now
    }

    private func spooledKeys() async throws -> Int64 {
        try await connection.run { [record] connection in
            // The planner's figure: counting would read the whole spool every second.
            try record.tables.reduce(0) { sum, table in
                let estimate: Int64 =
                    try connection.query(
                        "SELECT coalesce(n_live_tup, 0) FROM pg_stat_user_tables WHERE relid = $1::text::regclass",
                        [.text(table.spool.sql)]
                    ).first?.value() ?? 0
                return sum + estimate
            }
        }
    }

    /// A full disk on the primary is the worst outcome of all: first the copy waits, then the slot goes.
    private func guardWAL(_ retained: Int64) async throws {
        let limit = settings.current.maximumRetainedWAL
        if retained <= limit {
            throttle.set(.retainedWAL, nil)
        } else if retained <= 2 * limit {
            let reason = "the slot retains \(ByteCount(retained)) of WAL, the limit is \(ByteCount(limit))"
            throttle.set(.retainedWAL, Throttle.Stop(.throttled, reason))
        } else {
            log.error("the slot retains \(ByteCount(retained)) of WAL, twice the limit: giving it up")
            try await Leftovers.removeSlot(record, on: connection)
            throw MigrationError(
                .walLimit,
                "the slot retained \(ByteCount(retained)) of WAL, more than twice the limit of \(ByteCount(limit)), and was dropped",
                state: "no live table was touched; the shadow is useless without the slot",
                advice:
                    "find what holds the WAL back (a long transaction?), `shadow-alter abort \(record.name)`, and start again"
            )
        }
    }
}
