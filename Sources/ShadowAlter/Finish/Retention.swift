import Logging
import PgConnection

/// Keeps a run alive after the cut-over for as long as the old tables are to be kept, and drops them then.
struct Retention: Sendable {
    /// As it was when the run began.
    let record: MigrationRecord
    let control: PgConnection
    let connections: ConnectionOptions
    /// From the exchange on, by the server's clock; whichever run it was that made it.
    let duration: Duration
    let running: RunControl
    let status: StatusBox
    let log: Logger

    private static let lookInterval = Duration.seconds(1)

    /// Throws what `finalize` throws, at once where waiting would change nothing. The same command goes on with the rest of the time.
    func run() async throws {
        let watcher = try await PgConnection.connect(connections, for: .control)
        do {
            _ = try await running.begin(RunControl.Alive(record: record, connection: watcher, helm: nil))
            try await wait()
            try await BlueRemoval(
                record: record, connection: control, patience: nil, log: log,
                note: { text in status.update { $0.reason = text } }
            ).run()
            status.update {
                $0.reason = nil
                $0.isWaiting = false
                $0.isFinalized = true
            }
            running.end()
            await watcher.close()
        } catch {
            running.end()
            await watcher.close()
            throw error is CancellationError ? interrupted : error
        }
    }

    private var interrupted: MigrationError {
        MigrationError(
            .interrupted, "the run was interrupted while the old tables were kept, or dropped",
            state:
                "the new definition is live and in use; what is left of the old tables is in the schema \(record.plan.blueSchema)",
            advice:
                "run the same command again, it goes on with the rest of the time; or `shadow-alter finalize \(record.name)`"
        )
    }

    /// Returns when the time is over, or somebody has called `finalize`.
    private func wait() async throws {
        // What was asked of an earlier run was refused then, or done by who asked. During a bake this run has listened, too.
        let since = running.listeningSince
        var isTold = false
        while true {
            let (steering, left) = try await control.run { [record, duration] connection in
                guard let current = try StateStore.look(record.name, on: connection), current.id == record.id,
                    let (steering, _) = try StateStore.steering(of: record.id, on: connection),
                    let left = try StateStore.retention(duration, of: record.id, on: connection)
                else {
                    throw MigrationError.stateGone(
                        record, state: "the new definition is live",
                        advice: "look for what is left in the schema \(record.plan.blueSchema)")
                }
                try FinalizeGuard.check(current, acceptsMismatches: false, on: connection)
                return (steering, left)
            }
            if left.rest <= .zero { return }
            if let since, let wish = steering.finalization, wish >= since {
                log.notice("finalize was asked for")
                return
            }
            if !isTold {
                isTold = true
                let text = "\(record.plan.oldTablesAre) kept until \(left.until), and dropped then"
                log.notice("\(text); `shadow-alter finalize \(record.name)` does it at once")
                try await control.run { [record] in
                    try StateStore.setMessage(
                        "\(text) by the run that is alive, or by the next one of the same command", of: record.id,
                        on: $0)
                }
                status.update {
                    $0.reason = text
                    $0.isWaiting = true
                    // They are gone with the slot.
                    $0.spooledKeys = 0
                    $0.retainedWAL = nil
                    $0.streamLag = nil
                }
            }
            try await Task.sleep(for: min(left.rest, Self.lookInterval))
        }
    }
}
