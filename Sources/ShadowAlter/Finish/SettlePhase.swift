import Logging
import PgConnection

/// What the exchange has left to be done at leisure: foreign keys that were added NOT VALID are validated.
struct SettlePhase: Sendable {
    let record: MigrationRecord
    let control: PgConnection
    let connections: ConnectionOptions
    let status: StatusBox
    let log: Logger

    /// How long a statement waits behind somebody else's lock before it is given up, and tried again later.
    private static let lockTimeout = "2s"

    /// Each statement in a transaction of its own, until all have been executed. They may be executed again, so that a run that was
    /// interrupted begins with the first.
    func run() async throws {
        let work = record.plan.dependants.flatMap { dependant in dependant.settle.map { (dependant.name, $0) } }
        if !work.isEmpty {
            let observer = try await PgConnection.connect(connections, for: .control)
            do {
                for (name, statement) in work {
                    status.update { $0.reason = "after the cut-over: \(name)" }
                    try await settle(name, statement, observer)
                    try Failpoint.settling.pass()
                }
                await observer.close()
            } catch {
                await observer.close()
                throw error
            }
        }
        status.update { $0.reason = nil }
        try await control.transaction { [record] in try StateStore.setSettled(true, of: record.id, on: $0) }
        try Failpoint.settled.pass()
    }

    /// VALIDATE CONSTRAINT holds SHARE UPDATE EXCLUSIVE for as long as it reads, and makes everybody wait who changes the table's definition, with
    /// all that wait behind him.
    private func settle(_ name: String, _ statement: String, _ observer: PgConnection) async throws {
        let courtesy = Courtesy(working: control, observer: observer, log: log)
        while true {
            try Task.checkCancellation()
            do {
                try await courtesy.run("the \(name)") {
                    do {
                        try await control.cancellable { connection in
                            try connection.execute(
                                "BEGIN; SET LOCAL lock_timeout = '\(Self.lockTimeout)'; \(statement); COMMIT")
                        }
                    } catch {
                        _ = try? await control.execute("ROLLBACK")
                        throw error
                    }
                }
                log.info("after the cut-over: \(name)")
                return
            } catch let error as PgError {
                switch error.sqlState {
                case .lockNotAvailable?, .deadlockDetected?:
                    log.notice("\(name) waits for a lock of somebody else's")
                    try await Task.sleep(for: .seconds(1))
                case let state? where state.isAboutAMissingObject:
                    log.warning(
                        "\(name) is not there any more, somebody has dropped it: nothing is left to be done for it")
                    return
                default:
                    throw MigrationError(
                        .badData,
                        "after the cut-over, the \(name) could not be completed: \(error.message)"
                            + (error.detail.map { " (\($0))" } ?? ""),
                        state:
                            "the new definition is live and complete but for this; new rows are checked, the ones from before were not",
                        advice:
                            "mend the rows, or drop the constraint, and run the same command again; it continues with \(statement)"
                    )
                }
            }
        }
    }
}
