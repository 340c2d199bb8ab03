import Logging
import PgConnection
import Synchronization

/// Runs a long statement of ours that holds locks on tables of the application's, and takes it back when others have to wait for it. It begins
/// anew a while later, so that it must be one that may.
struct Courtesy: Sendable {
    /// The session that executes the statement.
    let working: PgConnection
    /// Looks around meanwhile.
    let observer: PgConnection
    let log: Logger

    /// How often others are looked for, and how long they may wait.
    private static let interval = Duration.milliseconds(500)
    private static let tolerance = Duration.seconds(1)
    private static let firstPause = Duration.seconds(1)
    private static let longestPause = Duration.seconds(60)

    /// Throws what the body throws, `CancellationError` when the task was cancelled.
    ///
    /// - Parameters:
    ///   - what: for the log.
    ///   - body: executes the statement on `working`, so that cancelling it leaves no transaction open.
    func run<Value: Sendable>(_ what: String, _ body: () async throws -> Value) async throws -> Value {
        var pause = Self.firstPause
        while true {
            let watch = Watch(working: working, observer: observer)
            let looking = Task { await watch.run() }
            defer { looking.cancel() }
            do {
                return try await body()
            } catch let error as PgError where error.sqlState == .queryCanceled {
                try Task.checkCancellation()
                let reason =
                    watch.waiting.map { "\($0) \($0 == 1 ? "session" : "sessions") waited for its locks" }
                    ?? "somebody cancelled it"
                log.notice("\(what) was taken back, because \(reason); it begins anew in \(DurationText(pause))")
                try await Task.sleep(for: pause)
                pause = min(pause * 2, Self.longestPause)
            }
        }
    }

    private final class Watch: Sendable {
        let working: PgConnection
        let observer: PgConnection
        private let found = Mutex<Int?>(nil)

        init(working: PgConnection, observer: PgConnection) {
            self.working = working
            self.observer = observer
        }

        /// How many waited; nil: nobody did.
        var waiting: Int? { found.withLock { $0 } }

        func run() async {
            while !Task.isCancelled {
                guard (try? await Task.sleep(for: Courtesy.interval)) != nil else { return }
                // What cannot be asked is asked again.
                guard let count = try? await look(), count > 0, !Task.isCancelled else { continue }
                found.withLock { $0 = count }
                // Again, if this one came between two statements.
                working.cancel()
            }
        }

        private func look() async throws -> Int {
            try await observer.run { [pid = working.backendPID] connection in
                try connection.query(
                    """
                    SELECT count(DISTINCT w.pid) FROM pg_locks w
                    WHERE NOT w.granted AND w.pid <> $1 AND clock_timestamp() - w.waitstart > make_interval(secs => $2::float8)
                        AND $1 = ANY (pg_blocking_pids(w.pid))
                    """, [.int(pid), .double(Courtesy.tolerance.seconds)]
                ).single().value()
            }
        }
    }
}
