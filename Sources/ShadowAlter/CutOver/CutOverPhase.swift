import Logging
import PgConnection

/// Tries until the tables are exchanged: looks first, waits without asking for a lock while somebody is in the way, attempts briefly, backs off.
struct CutOverPhase: Sendable {
    let record: MigrationRecord
    let landing: Landing
    let control: PgConnection
    let connections: ConnectionOptions
    let stream: ChangeStream
    let refresher: Refresher
    let settings: LiveSettings
    let throttle: Throttle
    let helm: Helm
    let status: StatusBox
    let events: EventPost
    let log: Logger

    /// Returns whether the tables were exchanged; otherwise the cut-over was postponed.
    func run() async throws -> Bool {
        try await set(.cuttingOver)
        try Failpoint.cuttingOver.pass()
        var backoff = AttemptBackoff()
        var generator = SystemRandomNumberGenerator()
        var permission = CutOverPermission(events: events, status: status, settings: settings, log: log) {
            guard helm.mayCutOver else { return false }
            try helm.checkDeadline()
            try await catchUp()
            return true
        }
        while true {
            try Task.checkCancellation()
            try await waitForBlockers()
            try await waitForCompatViews()
            try await throttle.admit()
            try await catchUp()
            guard helm.mayCutOver else {
                try await set(.ready)
                return false
            }
            // What came up during the last pass.
            if throttle.stop != nil { continue }
            if try await isInTheWay() { continue }
            try helm.checkDeadline()
            // Whoever is asked may take his time: what was looked at before is looked at again. Nobody is asked before a rollback.
            guard record.isWayBack || permission.isGiven else {
                try await permission.ask()
                continue
            }
            permission.use()
            if try await attempt(after: backoff.failures) { return true }
            let delay = backoff.next(using: &generator)
            try await Task.sleep(for: delay)
        }
    }

    private func set(_ phase: Phase) async throws {
        try await control.run { [record] in try StateStore.setPhase(phase, of: record.id, on: $0) }
    }

    private func waitForBlockers() async throws {
        try await BlockerWait(control: control, settings: settings, status: status, log: log).run(try await finder()) {
            message in
            try await control.run { [record] in try StateStore.setMessage(message, of: record.id, on: $0) }
        } meanwhile: {
            guard helm.mayCutOver else { return false }
            try helm.checkDeadline()
            try await catchUp()
            return true
        }
    }

    /// What is built on a view that is to go must go before it.
    private func waitForCompatViews() async throws {
        try await compatViews.run { message in
            try await control.run { [record] in try StateStore.setMessage(message, of: record.id, on: $0) }
        } meanwhile: {
            guard helm.mayCutOver else { return false }
            try helm.checkDeadline()
            try await catchUp()
            return true
        }
    }

    private var compatViews: CompatViewWait {
        CompatViewWait(plan: record.plan, control: control, status: status, log: log)
    }

    private func finder() async throws -> BlockerFinder {
        let patience = settings.current.lockTimeout
        return try await control.run { [record] in try BlockerFinder(record, patience: patience, on: $0) }
    }

    /// Once more, after all the waiting for other things.
    private func isInTheWay() async throws -> Bool {
        let finder = try await finder()
        let blockers = try await control.run { try finder.find(on: $0) }
        if blockers.contains(where: settings.current.waits(for:)) { return true }
        return try await compatViews.look() != nil
    }

    private func catchUp() async throws {
        try await stream.drain()
        try await refresher.pass()
    }

    /// Returns whether the tables were exchanged.
    private func attempt(after failures: Int) async throws -> Bool {
        status.update { $0.cutOver.attempts += 1 }
        let connection = try await PgConnection.connect(connections, for: .cutOver, plan: record.plan)
        let attempt = CutOverAttempt(
            record: record, connection: connection, stream: stream, options: settings.current,
            observer: control, failures: failures, landing: landing)
        do {
            let outcome = try await attempt.run()
            try Failpoint.committed.pass()
            await connection.close()
            try await note(outcome)
            return true
        } catch {
            await connection.close()
            if let pgError = error as? PgError, pgError.code == .commitOutcomeUnknown {
                return try await settleUnknownCommit(pgError, session: connection.backendPID)
            }
            let why = try retryableReason(error)
            log.notice("cut-over attempt \(status.snapshot.cutOver.attempts) was given up: \(why)")
            status.update { $0.cutOver.lastError = why }
            try await control.run { [record] connection in
                try connection.query(
                    """
                    UPDATE shadow_alter.migration SET cut_over_attempts = cut_over_attempts + 1, cut_over_last_error = $2 WHERE id = $1
                    """, [.int(record.id), connection.note(why)])
            }
            return false
        }
    }

    private func note(_ outcome: CutOverAttempt.Outcome) async throws {
        let (hold, wait) = (Self.rounded(outcome.hold), Self.rounded(outcome.wait))
        log.notice(
            "the tables are exchanged, at attempt \(status.snapshot.cutOver.attempts): lock held \(hold) ms, \(wait) ms from request to commit"
        )
        status.update {
            $0.cutOver.lastError = nil
            $0.cutOver.lastHoldMs = outcome.hold.milliseconds
            $0.cutOver.longestWaitMs = max(outcome.wait.milliseconds, $0.cutOver.longestWaitMs ?? 0)
        }
        try await control.run { [record] connection in
            try connection.query(
                """
                UPDATE shadow_alter.migration SET cut_over_attempts = cut_over_attempts + 1, cut_over_last_error = NULL,
                    cut_over_last_hold_ms = $2, cut_over_longest_wait_ms = $3, message = '' WHERE id = $1
                """, [.int(record.id), .double(outcome.hold.milliseconds), .double(outcome.wait.milliseconds)])
        }
        try Failpoint.exchangeNoted.pass()
    }

    private static func rounded(_ duration: Duration) -> Double { (duration.milliseconds * 10).rounded() / 10 }

    /// The connection was lost while COMMIT was in progress: which side won stands in the catalog.
    private func settleUnknownCommit(_ error: PgError, session: Int32) async throws -> Bool {
        log.warning("the connection was lost while the cut-over was being committed: looking at the catalog")
        // It may still be at it.
        try await control.waitForEnd(ofSession: session)
        let (phase, swapped) = try await control.run { [record] connection in
            let found = try StateStore.find(id: record.id, on: connection)
            let schemas = try record.tables.map { table -> String? in
                try connection.query(
                    "SELECT n.nspname FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace WHERE c.oid = $1",
                    [.int(table.plan.sourceOID)]
                ).first?.value()
            }
            return (found?.phase, schemas.allSatisfy { $0 == record.plan.blueSchema })
        }
        guard (phase == landing.phases[record.id]) == swapped else {
            throw MigrationError(
                .inconsistent, "after a lost connection the state tables and the catalog disagree about the cut-over",
                state:
                    "the recorded phase is \(phase?.rawValue ?? "none"), \(record.plan.oldTablesAre) \(swapped ? "" : "not ")in \(record.plan.blueSchema)",
                advice: "look at both before anything else; the original error was: \(error.message)")
        }
        return swapped
    }

    /// Why an attempt failed, when another may succeed; otherwise throws on.
    private func retryableReason(_ error: any Error) throws -> String {
        switch error {
        case let error as DrainTimeout:
            return "the change stream was not drained within \(Int(error.limit.milliseconds)) ms"
        case let error as CutOverAttempt.OverBudget:
            return "it took longer than its budget of \(Int(error.budget.milliseconds)) ms"
        case let error as CutOverAttempt.Behind:
            return "the refresh is behind: \(error.keys) changes had come since the last pass; no lock was asked for"
        case let harm as QueueWatch.Harm:
            return "\(harm)"
        case let error as LockBound.Exceeded:
            return "the lock was not granted within \(Int(error.timeout.milliseconds)) ms"
        case let error as InitialCopyUnderWay:
            return "\(error.blocker)"
        case let bad as FinalRefresh.BadRow:
            // A row that the old definition does not take, in the last moment: it is no reason to end anything.
            if record.isWayBack { throw Landing.NotPossible() }
            // The next pass meets it again, and names it.
            return "a row cannot be had in its new form: \(ShortValue.text(bad.error.message))"
        case let use as CompatViewsInUse:
            return "\(use)"
        case let error as PgError:
            // Something was put into their schema after the last look.
            if error.sqlState?.classCode == "2B", !record.plan.leavingShapes.isEmpty { return error.message }
            switch error.sqlState {
            case .lockNotAvailable?: return "a lock was not granted at once"
            case .deadlockDetected?: return "PostgreSQL chose it to resolve a deadlock"
            case .queryCanceled?: return "a statement took longer than the budget"
            case .idleInTransactionSessionTimeout?: return "the session was ended for being idle under the lock"
            default: break
            }
            if error.code == .connectionLost { return "the connection was lost: \(error.message)" }
            // A row that the old definition does not take, in the last moment: it is no reason to end anything.
            if record.isWayBack, error.isAboutData { throw Landing.NotPossible() }
            for table in record.tables {
                if let explained = BadData.explain(error, table: table.plan, source: .liveWrite) { throw explained }
            }
            throw error
        default:
            throw error
        }
    }
}
