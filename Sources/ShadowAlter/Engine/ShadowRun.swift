import Logging
import PgConnection
import PgReplication

/// Takes a recorded migration through its phases, beginning with the one that it is in.
struct ShadowRun: Sendable {
    let control: PgConnection
    let connections: ConnectionOptions
    let options: MigrationOptions
    let status: StatusBox
    let clock: PhaseClock
    let log: Logger

    func run(_ record: MigrationRecord) async throws {
        guard !record.phase.isAfterSwap else {
            try await finish(record)
            return
        }
        var phase = record.phase
        if phase < .copying {
            let capture = CapturePhase(record: record, control: control, connections: connections, log: log)
            try await clock.measure(.capturing) { try await capture.run(status: status) }
            phase = .copying
        }
        let stream = try await ChangeStream(record, options: connections, log: log)
        do {
            try await withStream(stream, record, from: phase)
            await stream.close()
        } catch {
            await stream.close()
            throw error
        }
        try await finish(record)
    }

    /// The stream first, which costs the server something for as long as it is there.
    private func finish(_ record: MigrationRecord) async throws {
        try await Leftovers.removeAfterSwap(record, on: control)
        try await SettlePhase(record: record, control: control, status: status, log: log).run()
        status.update { $0.phase = .done }
    }

    /// Runs the rest while the stream and the heartbeat run beside it; whichever fails first ends all.
    private func withStream(_ stream: ChangeStream, _ record: MigrationRecord, from phase: Phase) async throws {
        let throttle = Throttle(lanes: options.copyWorkers)
        let requests = Requests(cutOver: options.cutOver)
        let watcher = try await PgConnection.connect(connections, for: .control)
        let heartbeat = Heartbeat(
            record: record, connection: watcher, stream: stream, options: options, throttle: throttle,
            requests: requests,
            status: status, log: log)
        do {
            try await withThrowingTaskGroup(of: Bool.self) { group in
                group.addTask {
                    try await stream.run()
                    return false
                }
                group.addTask {
                    try await heartbeat.run()
                    return false
                }
                group.addTask {
                    try await work(
                        record, from: phase, stream: stream, heartbeat: heartbeat, throttle: throttle,
                        requests: requests)
                    return true
                }
                // The others end by an error only.
                _ = try await group.next()
                group.cancelAll()
            }
            await watcher.close()
        } catch {
            await watcher.close()
            throw error
        }
    }

    private func work(
        _ record: MigrationRecord, from first: Phase, stream: ChangeStream, heartbeat: Heartbeat, throttle: Throttle,
        requests: Requests
    ) async throws {
        if first <= .copying {
            try await clock.measure(.copying) {
                try await heartbeat.measureBaseline()
                try await CopyPhase(
                    record: record, control: control, connections: connections, options: options, throttle: throttle,
                    status: status, log: log
                ).run()
                try await stream.drain()
                let purged = try await Purge(record: record, control: control).run()
                log.info(
                    "copied \(status.snapshot.rowsCopied) rows; \(purged) of them changed meanwhile and will be refreshed"
                )
            }
        }
        if first <= .indexing {
            try await clock.measure(.indexing) {
                try await IndexPhase(
                    record: record, control: control, connections: connections, options: options, status: status,
                    log: log
                ).run()
            }
        }
        let connection = try await PgConnection.connect(connections, for: .refresh, plan: record.plan)
        let refresher = try await Refresher(record, connection: connection, stream: stream, status: status)
        let sync = SyncPhase(
            record: record, control: control, stream: stream, refresher: refresher, requests: requests,
            budget: options.cutOverBudget, status: status, log: log)
        try await clock.measure(.catchingUp) { try await sync.catchUp() }
        try await clock.measure(.ready) { try await sync.hold() }
        try await clock.measure(.cuttingOver) {
            try await control.run { try StateStore.setPhase(.cuttingOver, of: record.id, on: $0) }
            try await CutOverPhase(
                record: record, control: control, connections: connections, stream: stream, refresher: refresher,
                options: options, status: status, log: log
            ).run()
        }
        await connection.close()
    }
}
