import Logging
import PgConnection

/// After the exchange: the old tables follow the new ones, until the time is over or somebody wants them back.
struct BakePhase: Sendable {
    enum End: Sendable {
        /// The time is over: the new tables stay.
        case baked
        /// Somebody has asked for `finalize`.
        case final
        /// The old tables are live again.
        case rolledBack
    }

    let record: MigrationRecord
    let wayBack: MigrationRecord
    let control: PgConnection
    let stream: ChangeStream
    let refresher: Refresher
    let verification: VerifyPhase
    let rollback: Rollback
    let throttle: Throttle
    let helm: Helm
    let settings: LiveSettings
    let status: StatusBox
    let log: Logger

    private static let interval = Duration.milliseconds(500)
    /// How often it is looked whether a rollback would be possible, and rows are tried again that could not go back.
    private static let checkInterval = Duration.seconds(5)

    func run() async throws -> End {
        var readiness = RollbackReadiness(record: record, wayBack: wayBack, status: status, log: log)
        var end = BakeEnd(record: record, finalizeAfter: settings.current.finalizeAfter)
        var check = RepeatedCheck(interval: Self.checkInterval)
        var refused: ContinuousClock.Instant?
        try await begin()
        while true {
            if let reason = try await end.reason(on: control) {
                log.notice("\(record.plan.oldTablesFollow) no further: \(reason)")
                return reason == .finalize ? .final : .baked
            }
            // Whoever has stopped the work may still end it.
            if throttle.stop == nil {
                try await refresher.pass()
                if check.isDue || helm.wantsRollback && refused == nil {
                    let start = ContinuousClock.now
                    try await refresher.retryParked()
                    _ = try await refresher.renewSpools()
                    try await readiness.look(on: control)
                    check.note(since: start)
                }
                if readiness.mayBeVerified { try await verify() }
                if helm.mayCutOver, readiness.isPossible, refused.map({ .now - $0 >= Self.checkInterval }) ?? true {
                    switch try await rollback.run() {
                    case .rolledBack: return .rolledBack
                    case .postponed: refused = nil
                    case .refused(let reason):
                        readiness.refuse(reason)
                        refused = .now
                    }
                }
                if !helm.wantsRollback { refused = nil }
            }
            status.update {
                $0.isWaiting = true
                $0.reason = readiness.reason(isWanted: helm.wantsRollback)
            }
            try await Task.sleep(for: Self.interval)
        }
    }

    /// What the forward way needed goes. From here on the old tables have every row of the new ones.
    private func begin() async throws {
        try await Leftovers.removeSpools(record, on: control)
        guard wayBack.phase < .ready else { return }
        log.notice(
            "the new definition is live, and \(record.plan.oldTablesFollow) it, in \(record.plan.blueSchema); `shadow-alter rollback \(record.name)` goes back"
        )
        try await stream.drain()
        try await refresher.pass()
        try Failpoint.bakeCaughtUp.pass()
        try await control.transaction { [wayBack] connection in
            try StateStore.setComplete(wayBack.id, on: connection)
            try StateStore.setPhase(.ready, of: wayBack.id, on: connection)
        }
        try Failpoint.bakeReady.pass()
    }

    /// Once by itself, and whenever somebody asks for it.
    private func verify() async throws {
        guard try await verification.isWanted() else { return }
        do {
            try await verification.run()
        } catch let error as MigrationError where error.code == .verificationFailed {
            // The application is not concerned; the way back is, and stays closed until a verification finds nothing.
            log.error("\(error.message)")
        } catch let error as PgError where error.isAboutData {
            // A row that cannot go back has come meanwhile; it will be parked.
            log.info("the verification of the old tables is put off: \(error.message)")
        }
    }
}

/// When something is looked at again that takes longer the more there is of it.
private struct RepeatedCheck {
    let interval: Duration
    private var due = ContinuousClock.now

    init(interval: Duration) { self.interval = interval }

    var isDue: Bool { .now >= due }

    /// At most a twentieth of the time is spent on it.
    mutating func note(since start: ContinuousClock.Instant) {
        due = .now + max(interval, (ContinuousClock.now - start) * 20)
    }
}
