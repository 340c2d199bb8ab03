import Logging
import PgConnection

/// The time after an exchange with `--bake`: takes the stream up where the forward way has left it, and lets the old tables follow.
struct Baking: Sendable {
    let control: PgConnection
    let connections: ConnectionOptions
    let settings: LiveSettings
    let status: StatusBox
    let clock: PhaseClock
    let events: EventPost
    let log: Logger

    /// Returns when the bake is over or the old tables are live again. Throws `wayBackLost` when the old tables can no
    /// longer follow; the migration is done then.
    func run(_ record: MigrationRecord, _ obedience: Obedience, _ throttle: Throttle) async throws
        -> BakePhase.End
    {
        let wayBack = try await open(record)
        try Failpoint.bakeOpened.pass()
        let stream = try await ChangeStream(
            wayBack, options: connections, settings.current, log: log)
        do {
            let end = try await clock.measure(.baking) {
                try await follow(record, wayBack, stream, obedience, throttle)
            }
            await stream.close()
            return end
        } catch let error as MigrationError where [.walLimit, .slotLost, .wayBackLost].contains(error.code) {
            await stream.close()
            throw try await lose(record, error)
        } catch {
            await stream.close()
            throw error
        }
    }

    private func open(_ record: MigrationRecord) async throws -> MigrationRecord {
        try await control.transaction { [settings] connection in
            guard let wayBack = try StateStore.wayBack(of: record.id, on: connection) else {
                throw MigrationError(
                    .inconsistent, "migration \(record.name) bakes, and there is no record of its way back",
                    state: "the new definition is live", advice: "`shadow-alter finalize \(record.name)`")
            }
            // Nobody else is to begin anything on the tables that are live now.
            for table in wayBack.tables {
                guard let owner = try TableLock.acquire(table.plan.sourceOID, on: connection) else { continue }
                throw MigrationError(
                    .alreadyRunning, "another shadow-alter is at work on \(table.plan.source) (session \(owner))",
                    state: "nothing was changed by this one", advice: "`shadow-alter list` shows which")
            }
            if let bake = settings.current.bake {
                try StateStore.setBake(for: bake.duration, of: record.id, on: connection)
            }
            return wayBack
        }
    }

    private func follow(
        _ record: MigrationRecord, _ wayBack: MigrationRecord, _ stream: ChangeStream, _ obedience: Obedience,
        _ throttle: Throttle
    ) async throws -> BakePhase.End {
        // What is asked of the migration is obeyed; what waits in the spools is the way back's.
        var followed = record
        followed.tables = wayBack.tables
        let escort = StreamEscort(
            record: followed, stream: stream, control: control, connections: connections, settings: settings,
            throttle: throttle, obedience: obedience, status: status, log: log, isFollowing: true)
        let connection = try await PgConnection.connect(connections, for: .refresh, plan: wayBack.plan)
        let settling = try await PgConnection.connect(connections, for: .control)
        do {
            let refresher = try await Refresher(
                wayBack, connection: connection, stream: stream, throttle: throttle, status: status)
            let helm = obedience.helm
            var followedToTheEnd = wayBack
            followedToTheEnd.phase = .ready
            let phase = BakePhase(
                record: record, wayBack: wayBack, control: control, stream: stream, refresher: refresher,
                verification: VerifyPhase(
                    record: followedToTheEnd, control: control, connections: connections, stream: stream,
                    refresher: refresher, settings: settings, throttle: throttle, helm: helm, status: status, log: log),
                rollback: Rollback(
                    record: record, wayBack: wayBack, control: control, connections: connections, stream: stream,
                    refresher: refresher, settings: settings, throttle: throttle, helm: helm, status: status,
                    events: events, log: log),
                throttle: throttle, helm: helm, settings: settings, status: status, log: log)
            let settle = SettlePhase(
                record: record, control: settling, connections: connections, status: status, log: log)
            let end = try await escort.run { [control] _ in
                try await withThrowingTaskGroup(of: BakePhase.End?.self) { group in
                    group.addTask {
                        if !record.isSettled { try await settle.run() }
                        return nil
                    }
                    group.addTask { try await phase.run() }
                    while let end = try await group.next() {
                        guard let end else { continue }
                        group.cancelAll()
                        if end != .rolledBack {
                            try Failpoint.bakeOver.pass()
                            try await control.transaction { try StateStore.setPhase(.done, of: record.id, on: $0) }
                            try Failpoint.bakeEnded.pass()
                        }
                        return end
                    }
                    throw CancellationError()
                }
            }
            await connection.close()
            await settling.close()
            return end
        } catch {
            await connection.close()
            await settling.close()
            throw error
        }
    }

    /// The slot is gone, and what was written since then is unknown to the old tables; or one of the tables is gone.
    private func lose(_ record: MigrationRecord, _ error: MigrationError) async throws -> MigrationError {
        let message = "a rollback is no longer possible: \(error.message)"
        try await control.transaction { connection in
            try StateStore.setPhase(.done, of: record.id, on: connection)
            try StateStore.setMessage(message, of: record.id, on: connection)
        }
        try Failpoint.wayBackLost.pass()
        try await Leftovers.removeAfterSwap(record, on: control)
        guard error.code != .wayBackLost else {
            return MigrationError(
                .wayBackLost, message, state: error.state,
                advice: "`shadow-alter finalize \(record.name)` removes what is left")
        }
        return MigrationError(
            .wayBackLost, message,
            state:
                "the new definition is live and complete; \(record.plan.oldTablesAre) in the schema \(record.plan.blueSchema) and no longer follows",
            advice: "`shadow-alter finalize \(record.name)` removes \(record.plan.oldTables)")
    }
}
