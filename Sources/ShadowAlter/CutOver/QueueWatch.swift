import PgConnection
import Synchronization

/// While an attempt waits for its locks: looks whether others have begun to wait behind it, and takes the request back when they do for longer
/// than they should.
///
/// `lock_timeout` bounds how long the request may wait; that is also how long everybody waits who comes after it. Where nobody comes, waiting
/// harms nobody; where somebody does, the attempt is our harm and ends.
final class QueueWatch: Sendable {
    /// Somebody waited behind our request.
    struct Harm: Error, Sendable {
        /// How many sessions.
        var sessions: Int
        /// The longest of them.
        var waited: Duration
    }

    /// The session that asks for the locks.
    let attempt: PgConnection
    /// Asks meanwhile.
    let observer: PgConnection
    /// Of everything that is locked.
    let relations: [UInt32]
    /// How long others may wait.
    let tolerance: Duration

    private struct State {
        var isOver = false
        var harm: Harm?
    }

    private let state = Mutex(State())
    private static let interval = Duration.milliseconds(10)

    init(attempt: PgConnection, observer: PgConnection, relations: [UInt32], tolerance: Duration) {
        self.attempt = attempt
        self.observer = observer
        self.relations = relations
        self.tolerance = tolerance
    }

    /// How long others may wait behind an attempt after so many that were given up for their sake. The first ones are the shortest: on most
    /// tables a moment without a transaction comes soon. Where none comes, waiting for `lock_timeout` is what is left. Pure.
    static func tolerance(afterFailures failures: Int, lockTimeout: Duration) -> Duration {
        min(lockTimeout, .milliseconds(25) * (1 << min(failures, 16)))
    }

    /// Runs what waits for the locks. Throws `Harm` when the request was taken back, otherwise what the body throws.
    ///
    /// Returns as soon as the body does: nothing may be waited for once the locks are there.
    func during<Value>(_ body: () throws -> Value) throws -> Value {
        let looking = Task { await run() }
        defer { looking.cancel() }
        do {
            let value = try body()
            end()
            return value
        } catch {
            end()
            // Anything else that went wrong is not for the sake of others.
            guard error is LockBound.Exceeded, let harm = state.withLock({ $0.harm }) else { throw error }
            throw harm
        }
    }

    /// No statement after the one that waits for the locks may be taken for it.
    private func end() { state.withLock { $0.isOver = true } }

    private func run() async {
        while !Task.isCancelled, !state.withLock({ $0.isOver }) {
            // Whatever goes wrong here, `lock_timeout` still holds.
            guard (try? await Task.sleep(for: Self.interval)) != nil, let harm = try? await look(),
                harm.waited >= tolerance
            else { continue }
            state.withLock { state in
                guard !state.isOver else { return }
                state.harm = harm
                // Again, if this one came between two statements.
                attempt.cancel()
            }
        }
    }

    /// Who has come after our request and waits for the same; nil when it does not wait, or nobody has.
    private func look() async throws -> Harm? {
        try await observer.run { [relations, pid = attempt.backendPID] connection in
            let row = try connection.query(
                """
                SELECT count(DISTINCT others.pid) AS sessions,
                    coalesce(extract(epoch FROM max(clock_timestamp() - others.waitstart)), 0)::float8 AS seconds
                FROM pg_locks ours JOIN pg_locks others USING (relation, database)
                WHERE ours.pid = $1 AND NOT ours.granted AND ours.locktype = 'relation' AND ours.relation = ANY ($2::oid[])
                    AND others.pid <> $1 AND NOT others.granted AND others.locktype = 'relation'
                    AND others.waitstart >= ours.waitstart
                """, [.int(pid), .array(relations.map { String($0) })]
            ).single()
            let sessions: Int = try row.get("sessions")
            guard sessions > 0 else { return nil }
            return Harm(sessions: sessions, waited: .seconds(try row.get("seconds", as: Double.self)))
        }
    }
}

extension QueueWatch.Harm: CustomStringConvertible {
    var description: String {
        "\(sessions) \(sessions == 1 ? "session" : "sessions") began to wait behind its request for the lock, for \(Int(waited.milliseconds)) ms"
    }
}
