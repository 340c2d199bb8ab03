import Logging
import PgConnection
import PgReplication
import Synchronization

/// Once a second: one watermark through the stream, a look at the WAL that the slot holds, and at what other processes ask for.
struct Heartbeat: Sendable {
    let record: MigrationRecord
    let connection: PgConnection
    /// The session that keeps others off the tables.
    let owner: Int32
    let stream: ChangeStream
    let settings: LiveSettings
    let throttle: Throttle
    let obedience: Obedience
    let status: StatusBox
    let log: Logger

    static let interval = Duration.seconds(1)
    /// Between two watermarks while the shadow is held ready. They move the slot on where only others write.
    private static let heldInterval = Duration.seconds(10)
    /// How long a watermark may take before another is sent.
    private static let patience = Duration.seconds(10)

    /// Runs until cancelled. Throws `aborted` on request, and what `WALGuard` throws.
    func run() async throws {
        var told: Told?
        let pulse = Pulse()
        var lastBeat = ContinuousClock.now
        var estimator = Estimator(verifies: settings.current.verification != .off)
        while true {
            try await Task.sleep(for: Self.interval)
            // A table that is held ready for days should cost next to nothing.
            let isHeld = status.snapshot.phase == .ready
            let isDue = !isHeld || ContinuousClock.now - lastBeat >= Self.heldInterval
            if isDue { lastBeat = .now }
            // Beside it: a stream that stands still must not keep us from watching what it holds back.
            if isDue, pulse.begin() {
                Task { [pulse, stream] in
                    do {
                        pulse.end(.success(try await Self.beat(stream)))
                    } catch {
                        pulse.end(.failure(error))
                    }
                }
            }
            try await lookAround()
            if let commit = try pulse.take(), status.snapshot.isInLanes {
                throttle.observe(commit: commit, isAlone: try await isAlone())
            }
            try await estimate(&estimator)
            try await tell(unless: &told)
        }
    }

    private struct Told {
        var condition: MigrationStatus.Condition
        var reason: String?
        var estimate: Estimate
        var at: ContinuousClock.Instant
    }

    /// An estimate changes every second; those who only see the state tables are told less often.
    private static let estimateInterval = Duration.seconds(10)

    private func estimate(_ estimator: inout Estimator) async throws {
        let processes = status.snapshot.phase == .indexing ? status.snapshot.indexWork.processes : []
        let parts = try await connection.run { try IndexProgress.read(processes, on: $0) }
        status.update { $0.indexWork.see(parts) }
        let estimate = estimator.observe(status.snapshot, at: .now)
        status.update { $0.estimate = estimate }
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

    private static func beat(_ stream: ChangeStream) async throws -> Duration? {
        do {
            return try await stream.drain(limit: patience)
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
        try await checkLock()
        let end = try await connection.query("SELECT pg_current_wal_lsn()::text").single().value(as: String.self)
        let slot = try await ReplicationSlot.find(name: record.streamName, on: connection)
        if let retained = slot?.retainedBytes { try await releaseWAL(retained) }
        try await obedience.look()
        let spooled = try await spooledKeys()
        status.update {
            $0.retainedWAL = slot?.retainedBytes
            $0.streamLag = stream.lag(behind: end)
            $0.spooledKeys = spooled
            $0.stop = throttle.stop
            $0.slowdown = $0.isInLanes ? throttle.slowdown : nil
            $0.lanes = $0.isInLanes ? throttle.lanes : nil
        }
        try await WALGuard(record: record, settings: settings, throttle: throttle, log: log).check(slot, on: connection)
    }

    /// Without its lock a run is not alone any more, and must not find that out only at its next step.
    private func checkLock() async throws {
        let (oids, owner) = (record.tables.map(\.plan.sourceOID), owner)
        let isHeld = try await connection.run { connection in
            try oids.allSatisfy { try TableLock.isHeld($0, by: owner, on: connection) }
        }
        guard isHeld else {
            throw PgError(
                code: .connectionLost,
                message: "the connection of session \(owner) is gone, which kept others off the tables")
        }
    }

    /// For those who only see the state tables.
    private func tell(unless told: inout Told?) async throws {
        let snapshot = status.snapshot
        let now = Told(
            condition: snapshot.condition, reason: snapshot.currentReason, estimate: snapshot.estimate, at: .now)
        if let told, told.condition == now.condition, told.reason == now.reason,
            told.estimate == now.estimate || now.at - told.at < Self.estimateInterval
        {
            return
        }
        try await connection.run { [record] in
            try StateStore.setCondition(now.condition, reason: now.reason, now.estimate, of: record.id, on: $0)
        }
        told = now
    }

    /// WAL that the slot holds back although it is spooled. More than this is nothing that heavy writes explain.
    private static let plentyOfWAL: Int64 = 8 << 20

    /// A slot lets go of WAL at those points where the server has written down which transactions run, and not in between. By itself it does so
    /// every 15 s (LOG_SNAPSHOT_INTERVAL_MS in src/backend/postmaster/bgwriter.c) and at checkpoints; since PostgreSQL 16 it can be asked to.
    private func releaseWAL(_ retained: Int64) async throws {
        guard retained > Self.plentyOfWAL, connection.serverVersion.major >= 16 else { return }
        // Two statements: a function that may not be executed is refused also where no row is asked for.
        let mayAsk: Bool = try await connection.query(
            "SELECT has_function_privilege('pg_log_standby_snapshot()', 'EXECUTE')"
        ).single().value()
        guard mayAsk else { return }
        try await connection.execute("SELECT pg_log_standby_snapshot()")
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
}

/// A watermark on its way, and what came of it.
private final class Pulse: Sendable {
    private enum State {
        case idle
        case beating
        case ended(Result<Duration?, any Error>)
    }

    private let state = Mutex(State.idle)

    /// Returns whether there is none on its way.
    func begin() -> Bool {
        state.withLock { state in
            guard case .idle = state else { return false }
            state = .beating
            return true
        }
    }

    func end(_ result: Result<Duration?, any Error>) { state.withLock { $0 = .ended(result) } }

    /// What its commit has taken, once; nil when it is on its way, or did not come through in time.
    func take() throws -> Duration? {
        try state.withLock { state in
            guard case .ended(let result) = state else { return nil }
            state = .idle
            return try result.get()
        }
    }
}
