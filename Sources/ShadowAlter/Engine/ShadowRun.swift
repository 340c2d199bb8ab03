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
        var current = record
        var retention = settings.current.finalizeAfter
        if record.phase < .done {
            let watcher = try await PgConnection.connect(connections, for: .control)
            do {
                if !record.phase.isAfterSwap {
                    let (obedience, throttle) = try await steer(record, watcher)
                    try await advance(record, obedience, throttle)
                    current = try await reread(record)
                }
                if current.phase == .baking {
                    let (obedience, throttle) = try await steer(current, watcher)
                    let baking = Baking(
                        control: control, connections: connections, settings: settings, status: status, clock: clock,
                        events: events, log: log)
                    if try await baking.run(current, obedience, throttle) == .final { retention = .zero }
                    current = try await reread(record)
                }
                running.end()
                await watcher.close()
            } catch {
                running.end()
                await watcher.close()
                throw error
            }
        }
        try await finish(current, retention: retention)
    }

    /// Takes the helm: for the way to the exchange, or for the time after it.
    private func steer(_ record: MigrationRecord, _ watcher: PgConnection) async throws -> (Obedience, Throttle) {
        let throttle = Throttle(lanes: settings.current.copyWorkers) { [events] in events.post(.throttle($0)) }
        let isBaking = record.phase == .baking
        let helm = Helm(settings: settings, throttle: throttle, status: status, log: log, isBaking: isBaking)
        let obedience = Obedience(
            record: record, connection: watcher, schedule: CutOverSchedule(settings.current),
            deadline: isBaking ? nil : deadline, helm: helm, status: status)
        let socket = try await running.begin(RunControl.Alive(record: record, connection: watcher, helm: helm))
        events.learn { $0.socket = socket }
        let verified = try await control.run { connection in
            let wayBack = isBaking ? try StateStore.wayBack(of: record.id, on: connection) : nil
            return try StateStore.verification(of: wayBack?.id ?? record.id, on: connection)
        }
        helm.setVerification(startedAt: verified?.startedAt)
        status.update { $0.phase = record.phase }
        // What was asked while no run was alive.
        try await obedience.look()
        return (obedience, throttle)
    }

    private func reread(_ record: MigrationRecord) async throws -> MigrationRecord {
        guard let current = try await control.run({ try StateStore.find(id: record.id, on: $0) }) else {
            throw MigrationError.stateGone(record, state: "it was there a moment ago")
        }
        return current
    }

    /// Up to the exchange of the tables.
    private func advance(_ record: MigrationRecord, _ obedience: Obedience, _ throttle: Throttle) async throws {
        var phase = record.phase
        if phase < .copying {
            let capture = CapturePhase(
                record: record, control: control, connections: connections, obedience: obedience, settings: settings,
                log: log)
            try await clock.measure(.capturing) { try await capture.run(status: status) }
            phase = .copying
        }
        let wayBack =
            settings.current.bake == nil
            ? nil : try await control.transaction { try StateStore.prepareWayBack(of: record, on: $0) }
        if wayBack != nil { try Failpoint.wayBackPrepared.pass() }
        let stream = try await ChangeStream(
            record, followedBy: wayBack, options: connections, settings.current, log: log)
        do {
            let escort = StreamEscort(
                record: record, stream: stream, control: control, connections: connections, settings: settings,
                throttle: throttle, obedience: obedience, status: status, log: log)
            try await escort.run { [phase] heartbeat in
                try await work(
                    record, from: phase, stream: stream, heartbeat: heartbeat, throttle: throttle, helm: obedience.helm,
                    landing: landing(record, wayBack))
            }
            await stream.close()
        } catch {
            await stream.close()
            throw error
        }
    }

    /// The stream first, which costs the server something for as long as it is there.
    private func finish(_ record: MigrationRecord, retention: Duration?) async throws {
        if record.phase == .rolledBack {
            try await RollbackEnd(
                record: record, control: control, connections: connections, status: status, log: log
            ).run()
            return
        }
        try await Leftovers.removeAfterSwap(record, on: control)
        if !record.isSettled {
            try await SettlePhase(
                record: record, control: control, connections: connections, status: status, log: log
            ).run()
        }
        status.update { $0.phase = .done }
        guard let duration = retention else { return }
        try await Retention(
            record: record, control: control, connections: connections, duration: duration, running: running,
            status: status, log: log
        ).run()
    }

    private func work(
        _ record: MigrationRecord, from first: Phase, stream: ChangeStream, heartbeat: Heartbeat, throttle: Throttle,
        helm: Helm, landing: Landing
    ) async throws {
        let purge = Purge(
            record: record, control: control, connections: connections, settings: settings, throttle: throttle,
            status: status, log: log)
        if first <= .copying {
            try await clock.measure(.copying) {
                events.post(.beforeCopy)
                try await heartbeat.measureBaseline()
                try await CopyPhase(
                    record: record, control: control, connections: connections, settings: settings, throttle: throttle,
                    status: status, log: log
                ).run()
                try Failpoint.copied.pass()
                try await stream.drain()
                try Failpoint.copyDrained.pass()
                let purged = try await purge.run()
                try Failpoint.purged.pass()
                log.info(
                    "copied \(status.snapshot.rowsCopied) rows; \(purged) of them changed meanwhile and will be refreshed"
                )
                events.post(.copyComplete)
            }
        }
        if first <= .indexing {
            try await clock.measure(.indexing) {
                if first == .indexing {
                    // A run before this one may have ended at a value that was there twice: the row that was mended is dirty, and gives way.
                    try await stream.drain()
                    _ = try await purge.run()
                }
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
        var landing = landing
        landing.statements += try await control.transaction { try CompatViews.statements(record, on: $0) }
        let cutOver = CutOverPhase(
            record: record, landing: landing, control: control, connections: connections, stream: stream,
            refresher: refresher,
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

    private func landing(_ record: MigrationRecord, _ wayBack: MigrationRecord?) -> Landing {
        wayBack.map { .bake(record, wayBack: $0, for: settings.current.bake?.duration) } ?? .done(record)
    }
}
