import Logging
import PgConnection
import PgReplication

/// Takes a recorded migration through its phases, beginning with the one that it is in.
struct ShadowRun: Sendable {
    let control: PgConnection
    let connections: ConnectionOptions
    let settings: LiveSettings
    /// For the cut-over, in seconds since 1970 by the server's clock; nil: none.
    let deadline: Double?
    let running: RunControl
    let status: StatusBox
    let clock: PhaseClock
    let events: EventPost
    let log: Logger

    func run(_ record: MigrationRecord) async throws {
        guard !record.phase.isAfterSwap else {
            try await finish(record, isSettled: record.isSettled)
            return
        }
        let throttle = Throttle(lanes: settings.current.copyWorkers) { [events] in events.post(.throttle($0)) }
        let helm = Helm(settings: settings, throttle: throttle, status: status, log: log)
        let watcher = try await PgConnection.connect(connections, for: .control)
        let obedience = Obedience(
            record: record, connection: watcher, schedule: CutOverSchedule(settings.current), deadline: deadline,
            helm: helm, status: status)
        do {
            let socket = try await running.begin(RunControl.Alive(record: record, connection: watcher, helm: helm))
            events.learn { $0.socket = socket }
            let verified = try await control.run { try StateStore.verification(of: record.id, on: $0) }
            helm.setVerification(startedAt: verified?.startedAt)
            // What was asked while no run was alive.
            try await obedience.look()
            try await advance(record, obedience, throttle)
            running.end()
            await watcher.close()
        } catch {
            running.end()
            await watcher.close()
            throw error
        }
        try await finish(record, isSettled: false)
    }

    /// Up to the exchange of the tables.
    private func advance(_ record: MigrationRecord, _ obedience: Obedience, _ throttle: Throttle) async throws {
        var phase = record.phase
        if phase < .copying {
            let capture = CapturePhase(
                record: record, control: control, connections: connections, obedience: obedience, log: log)
            try await clock.measure(.capturing) { try await capture.run(status: status) }
            phase = .copying
        }
        let stream = try await ChangeStream(record, options: connections, log: log)
        do {
            try await withStream(stream, record, from: phase, obedience, throttle)
            await stream.close()
        } catch {
            await stream.close()
            throw error
        }
    }

    /// The stream first, which costs the server something for as long as it is there.
    private func finish(_ record: MigrationRecord, isSettled: Bool) async throws {
        try await Leftovers.removeAfterSwap(record, on: control)
        if !isSettled {
            try await SettlePhase(
                record: record, control: control, connections: connections, status: status, log: log
            ).run()
        }
        status.update { $0.phase = .done }
        guard let duration = settings.current.finalizeAfter else { return }
        try await Retention(
            record: record, control: control, connections: connections, duration: duration, running: running,
            status: status, log: log
        ).run()
    }

    /// Runs the rest while the stream and the heartbeat run beside it; whichever fails first ends all.
    private func withStream(
        _ stream: ChangeStream, _ record: MigrationRecord, from phase: Phase, _ obedience: Obedience,
        _ throttle: Throttle
    ) async throws {
        let heartbeat = Heartbeat(
            record: record, connection: obedience.connection, stream: stream, settings: settings, throttle: throttle,
            obedience: obedience, status: status, log: log)
        try await withThrowingTaskGroup(of: Bool.self) { group in
            group.addTask {
                try await stream.run()
                return false
            }
            group.addTask {
                try await heartbeat.run()
                return false
            }
            group.addTask { [connections, settings, log] in
                let watch = ThrottleWatch(connections: connections, settings: settings, throttle: throttle, log: log)
                try await watch.run()
                return false
            }
            group.addTask {
                try await work(
                    record, from: phase, stream: stream, heartbeat: heartbeat, throttle: throttle, helm: obedience.helm)
                return true
            }
            // The others end by an error only.
            _ = try await group.next()
            group.cancelAll()
        }
    }

    private func work(
        _ record: MigrationRecord, from first: Phase, stream: ChangeStream, heartbeat: Heartbeat, throttle: Throttle,
        helm: Helm
    ) async throws {
        if first <= .copying {
            try await clock.measure(.copying) {
                events.post(.beforeCopy)
                try await heartbeat.measureBaseline()
                try await CopyPhase(
                    record: record, control: control, connections: connections, settings: settings, throttle: throttle,
                    status: status, log: log
                ).run()
                try await stream.drain()
                let purged = try await Purge(record: record, control: control).run()
                log.info(
                    "copied \(status.snapshot.rowsCopied) rows; \(purged) of them changed meanwhile and will be refreshed"
                )
                events.post(.copyComplete)
            }
        }
        if first <= .indexing {
            try await clock.measure(.indexing) {
                try await IndexPhase(
                    record: record, control: control, connections: connections, options: settings.current,
                    throttle: throttle, status: status, log: log
                ).run()
            }
        }
        let connection = try await PgConnection.connect(connections, for: .refresh, plan: record.plan)
        let refresher = try await Refresher(
            record, connection: connection, stream: stream, throttle: throttle, status: status)
        let sync = SyncPhase(
            record: record, control: control, connections: connections, stream: stream, refresher: refresher,
            helm: helm, settings: settings,
            verification: VerifyPhase(
                record: record, control: control, connections: connections, stream: stream, refresher: refresher,
                settings: settings, throttle: throttle, helm: helm, status: status, log: log),
            status: status, events: events, log: log)
        try await clock.measure(.catchingUp) { try await sync.catchUp() }
        let cutOver = CutOverPhase(
            record: record, control: control, connections: connections, stream: stream, refresher: refresher,
            settings: settings, throttle: throttle, helm: helm, status: status, events: events, log: log)
        var isExchanged = false
        var isNew = true
        while !isExchanged {
            try await clock.measure(.ready) {
                if isNew { events.post(.ready) }
                try await sync.hold()
            }
            isNew = false
            if helm.wantsVerification {
                try await clock.measure(.catchingUp) { try await sync.verifyAgain() }
            } else {
                isExchanged = try await clock.measure(.cuttingOver) { try await cutOver.run() }
            }
        }
        events.post(.cutOver)
        await connection.close()
    }
}
