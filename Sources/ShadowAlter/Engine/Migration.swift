import FoundationEssentials
import Logging
import PgConnection
import PgReplication

/// One run of the tool: starts a migration or continues it, up to the swap and the removal of what the swap needed.
public struct Migration: Sendable {
    let request: MigrationRequest
    let connections: ConnectionOptions
    /// Of all connections of this run.
    private let registry: ConnectionRegistry
    let settings: LiveSettings
    let log: Logger
    private let running: RunControl
    private let secrets: Secrets
    private let events: EventPost
    /// What is going on, for whoever displays it.
    public let status: StatusBox
    /// For a control socket and the like.
    public var control: any MigrationControl { running }

    /// Called once a migration is recorded, before anything is captured or copied. What it returns is where the run can be spoken to: the
    /// path of its control socket on this machine; nil: nowhere. When it throws, the run ends.
    public typealias OnStart = @Sendable (StartedMigration, any MigrationControl) async throws -> String?

    public init(
        _ request: MigrationRequest, connections: ConnectionOptions, options: MigrationOptions, log: Logger,
        onStart: @escaping OnStart = { _, _ in nil }
    ) {
        self.request = request
        let registry = ConnectionRegistry()
        var connections = connections
        connections.registry = registry
        self.registry = registry
        self.connections = connections
        secrets = Secrets(request)
        self.log = DiscreetLog.over(log, secrets)
        settings = LiveSettings(options)
        status = StatusBox()
        running = RunControl(settings: settings, status: status, onStart: onStart)
        events = EventPost(request, options: options, status: status, log: self.log)
    }

    /// Returns when the new definition is live. Throws `MigrationError` or `PgError`; the same call continues unless it says otherwise. What is
    /// thrown repeats no string constant of the change.
    public func run() async throws -> MigrationSummary {
        // Whoever is told of the end finds no session of this run, and may run anything himself.
        do {
            let summary = try await connected()
            await events.end(.success)
            return summary
        } catch {
            await events.end(.failure(MigrationFailure(error)))
            throw error
        }
    }

    /// What it throws repeats no string constant of the change.
    private func connected() async throws -> MigrationSummary {
        let lifeguard = Lifeguard(
            connections: connections, registry: registry, patience: settings.current.networkPatience, log: log)
        do {
            return try await lifeguard.during { try await withControl() }
        } catch {
            throw secrets.hidden(in: explained(error))
        }
    }

    /// What a lost connection, and a statement that was cancelled for an interruption, mean for the run.
    private func explained(_ error: any Error) -> any Error {
        guard let error = error as? PgError else { return error }
        // Whatever the server says to a statement that was cancelled for it.
        if Task.isCancelled { return CancellationError() }
        // Before anything is recorded it is for the operator to find the server.
        guard error.isConnectionLoss, status.snapshot.phase > .planned else { return error }
        let (phase, isNative) = (status.snapshot.phase, status.snapshot.tables.isEmpty)
        guard !isNative else { return error }
        return MigrationError(
            .server,
            "the server ended the connection, or cannot be reached any more: \(error.message)",
            state: "the run was in the phase \(phase.rawValue); what was recorded is kept"
                + (phase < .done ? ", and the slot holds WAL until the migration goes on or is ended" : ""),
            advice: "when the server answers, run the same command again; it continues")
    }

    private func withControl() async throws -> MigrationSummary {
        let clock = PhaseClock(status: status, log: log)
        let control = try await PgConnection.connect(connections, for: .control)
        do {
            let summary = try await run(control: control, clock: clock)
            await Self.leave(control)
            return summary
        } catch {
            await Self.leave(control)
            throw error
        }
    }

    /// The session's process goes on for a moment after its connection is closed. It must not have the tables' locks then, or the same
    /// command, given again at once, would be refused.
    private static func leave(_ control: PgConnection) async {
        _ = try? await control.execute("SELECT pg_advisory_unlock_all()")
        await control.close()
    }

    private func run(control: PgConnection, clock: PhaseClock) async throws -> MigrationSummary {
        let options = settings.current
        let schedule = CutOverSchedule(options)
        let deadline = try await control.run { connection in
            try schedule.check(on: connection)
            return try options.cutOverDeadline?.epoch(on: connection)
        }
        try await events.connected(request, on: control)
        events.start()
        switch try await Opening(
            request: request, bakes: options.bake != nil, finalizes: options.finalizeAfter != nil, events: events,
            log: log
        ).open(on: control) {
        case .native(let plan):
            events.planned(plan)
            events.post(.validated)
            guard options.cutOver != .manual else {
                throw MigrationError(
                    .refused,
                    "--cut-over manual has nothing to hold: PostgreSQL makes this change in its catalogs alone, within milliseconds",
                    state: "nothing was touched",
                    advice:
                        "run it when it is wanted, give a window to --cut-over, or take --strategy shadow to build a new table all the same"
                )
            }
            let native = NativeAlter(
                plan: plan, control: control, connections: connections, settings: settings, schedule: schedule,
                deadline: deadline, events: events, log: log)
            let outcome = try await clock.measure(.cuttingOver) { try await native.run(status: status) }
            status.update {
                $0.phase = .done
                $0.cutOver.lastHoldMs = outcome.hold.milliseconds
                $0.cutOver.longestWaitMs = outcome.wait.milliseconds
            }
            events.post(.cutOver)
            return MigrationSummary(plan: plan, outcome: outcome, status: status.snapshot)
        case .shadow(let record):
            status.update { snapshot in
                snapshot.tables = record.plan.tables.map {
                    .init(name: $0.source, rowsEstimated: $0.estimatedRows)
                }
            }
            let run = ShadowRun(
                control: control, connections: connections, settings: settings, deadline: deadline, running: running,
                status: status, clock: clock, events: events, log: log)
            do {
                try await run.run(record)
            } catch let error as MigrationError where error.code == .aborted {
                try await abort(record, error, run, control: control)
            }
            return MigrationSummary(plan: record.plan, outcome: nil, status: status.snapshot)
        }
    }

    /// Obeys `abort`, unless the swap was quicker.
    private func abort(
        _ record: MigrationRecord, _ reason: MigrationError, _ run: ShadowRun, control: PgConnection
    ) async throws {
        let current = try await control.run { try StateStore.find(record.name, on: $0) }
        if let current, current.phase.isAfterSwap {
            log.notice("the abort came after the tables had been exchanged; it is too late")
            events.post(.cutOver)
            try await run.run(current)
            return
        }
        try await Leftovers.removeAll(record, on: control)
        throw reason
    }
}

/// What a run has done, for its last words.
public struct MigrationSummary: Codable, Sendable {
    public var name: String
    public var strategy: MigrationPlan.Strategy
    public var timings: [StatusBox.Timing]
    public var rowsCopied: Int64
    public var keysRefreshed: Int64
    public var verify: MigrationStatus.Verify
    public var cutOver: MigrationStatus.CutOver
    /// Where the old tables are; empty after a native change, and when they were dropped.
    public var oldTables: [QualifiedName]
    /// Whether the old tables were dropped, as `finalizeAfter` wanted it.
    public var finalized: Bool
    /// What the subscribers of the user's publications have to do.
    public var subscribers: [String]

    init(plan: MigrationPlan, outcome: CutOverAttempt.Outcome?, status: StatusBox.Snapshot) {
        name = plan.name
        strategy = plan.strategy
        timings = status.timings
        rowsCopied = status.rowsCopied
        keysRefreshed = status.keysRefreshed
        cutOver = status.cutOver
        verify = status.verify
        subscribers = plan.subscribers
        if let outcome {
            cutOver.lastHoldMs = outcome.hold.milliseconds
            cutOver.longestWaitMs = outcome.wait.milliseconds
        }
        finalized = status.isFinalized
        oldTables =
            plan.strategy == .native || status.isFinalized
            ? [] : plan.tables.map { QualifiedName(schema: plan.blueSchema, name: $0.source.name) }
    }
}
