import Logging
import PgConnection

/// The change made by PostgreSQL on the live table itself, where it touches nothing but catalogs: the same lock discipline, no shadow.
struct NativeAlter: Sendable {
    let plan: MigrationPlan
    let control: PgConnection
    let connections: ConnectionOptions
    let settings: LiveSettings
    let schedule: CutOverSchedule
    /// In seconds since 1970 by the server's clock; nil: none.
    let deadline: Double?
    let events: EventPost
    let log: Logger

    func run(status: StatusBox) async throws -> CutOverAttempt.Outcome {
        var backoff = AttemptBackoff()
        var generator = SystemRandomNumberGenerator()
        var permission = CutOverPermission(
            events: events, status: status, settings: settings, log: log
        ) {
            try await checkDeadline()
            return try await schedule.wait(on: control) == nil
        }
        while true {
            try await waitForSchedule(status)
            try await waitForBlockers(status)
            guard try await schedule.wait(on: control) == nil else { continue }
            try await checkDeadline()
            guard permission.isGiven else {
                try await permission.ask()
                continue
            }
            permission.use()
            status.update { $0.cutOver.attempts += 1 }
            do {
                return try await attempt(after: backoff.failures)
            } catch let error as LockBound.Exceeded {
                let why = "the lock was not granted within \(Int(error.timeout.milliseconds)) ms"
                status.update { $0.cutOver.lastError = why }
                log.notice("attempt \(status.snapshot.cutOver.attempts) was given up: \(why)")
            } catch let harm as QueueWatch.Harm {
                status.update { $0.cutOver.lastError = "\(harm)" }
                log.notice("attempt \(status.snapshot.cutOver.attempts) was given up: \(harm)")
            } catch let error as NotCommitted {
                status.update { $0.cutOver.lastError = error.message }
                log.notice("attempt \(status.snapshot.cutOver.attempts) was not committed: \(error.message)")
            } catch let error as PgError {
                switch error.sqlState {
                case .lockNotAvailable?, .deadlockDetected?, .queryCanceled?:
                    status.update { $0.cutOver.lastError = error.message }
                    log.notice("attempt \(status.snapshot.cutOver.attempts) was given up: \(error.message)")
                default:
                    throw error
                }
            }
            try await Task.sleep(for: backoff.next(using: &generator))
        }
    }

    private var finder: BlockerFinder {
        BlockerFinder(
            relations: plan.exchanges.map(\.sourceOID), migrationID: nil, patience: settings.current.lockTimeout)
    }

    private func waitForSchedule(_ status: StatusBox) async throws {
        var isTold = false
        while let wait = try await schedule.wait(on: control) {
            try await checkDeadline()
            if !isTold {
                events.post(.beginPostponed(reason: wait))
                isTold = true
            }
            status.update {
                $0.reason = wait
                $0.isWaiting = true
            }
            try await Task.sleep(for: .milliseconds(500))
        }
        status.update {
            $0.reason = nil
            $0.isWaiting = false
        }
    }

    private func checkDeadline() async throws {
        guard let deadline else { return }
        let now: Double = try await control.query("SELECT extract(epoch FROM clock_timestamp())::float8")
            .single().value()
        guard now < deadline else {
            throw MigrationError(
                .deadlineMissed, "the table was not altered before the deadline", state: "nothing was touched",
                advice: "run the same command with a later --cut-over-deadline")
        }
    }

    private func waitForBlockers(_ status: StatusBox) async throws {
        try await BlockerWait(control: control, settings: settings, status: status, log: log).run(finder) { _ in
        } meanwhile: {
            try await checkDeadline()
            return try await schedule.wait(on: control) == nil
        }
    }

    private func attempt(after failures: Int) async throws -> CutOverAttempt.Outcome {
        let options = settings.current
        let connection = try await PgConnection.connect(connections, for: .cutOver, plan: plan)
        do {
            let clock = ContinuousClock()
            let requested = clock.now
            let granted = try await connection.transaction { [plan] connection in
                try connection.execute(options.attemptSettings(lockTimeout: options.lockTimeout))
                let locks = LockPlan(plan)
                let bound = LockBound(
                    options.lockTimeout, deadlockTimeout: try LockBound.deadlockTimeout(on: connection), locks)
                let watch = QueueWatch(
                    attempt: connection, observer: control, relations: locks.all.map(\.oid),
                    tolerance: QueueWatch.tolerance(afterFailures: failures, lockTimeout: bound.timeout))
                try watch.during {
                    try bound.take(
                        locks.statements(owners: [:]), then: options.attemptSettings(lockTimeout: bound.furtherTimeout),
                        on: connection)
                }
                let granted = clock.now
                try Failpoint.nativeLocked.pass()
                try connection.readingDefinitions { connection in
                    for table in plan.exchanges {
                        try CatalogFingerprint.compare(table, publication: nil, name: plan.name, on: connection)
                    }
                }
                for statement in plan.nativeStatements { try connection.execute(statement) }
                try Failpoint.nativeCommitting.pass()
                return granted
            }
            try Failpoint.nativeCommitted.pass()
            await connection.close()
            let now = clock.now
            return CutOverAttempt.Outcome(hold: now - granted, wait: now - requested)
        } catch let error as PgError where error.code == .commitOutcomeUnknown {
            let session = connection.backendPID
            await connection.close()
            guard let outcome = try await outcomeFromCatalog(after: session) else {
                throw NotCommitted(message: error.message)
            }
            return outcome
        } catch {
            await connection.close()
            throw error
        }
    }

    /// The connection was lost at COMMIT, and nothing has changed.
    private struct NotCommitted: Error {
        let message: String
    }

    /// The connection was lost while COMMIT was in progress: a catalog that has changed says that it was made.
    private func outcomeFromCatalog(after session: Int32) async throws -> CutOverAttempt.Outcome? {
        let connection = try await PgConnection.connect(connections, for: .control)
        // It may still be at it.
        try await connection.waitForEnd(ofSession: session)
        let changed = try await connection.run { [plan] connection in
            try plan.exchanges.contains { table in
                try CatalogFingerprint.digest(of: table.sourceOID, publication: nil, on: connection)
                    != table.fingerprint
            }
        }
        await connection.close()
        return changed ? CutOverAttempt.Outcome(hold: .zero, wait: .zero) : nil
    }
}
