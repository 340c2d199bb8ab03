import PgConnection

/// How long the locks of a cut-over are waited for, all together. Pure but for `take`.
struct LockBound: Sendable, Equatable {
    let timeout: Duration
    /// How long a lock is waited for that a statement takes once these are held (a sequence's, for example).
    let furtherTimeout: Duration

    /// The locks were not granted in time.
    struct Exceeded: Error {
        let timeout: Duration
    }

    /// With several relations a circle is possible: we hold one and wait for the other, a transaction of the application does the reverse.
    /// PostgreSQL ends whoever notices first, after `deadlock_timeout`; so that this is never the application, we are gone before.
    init(_ lockTimeout: Duration, deadlockTimeout: Duration, _ plan: LockPlan) {
        furtherTimeout = min(lockTimeout, deadlockTimeout * 0.8)
        timeout = plan.isSingle ? lockTimeout : furtherTimeout
    }

    /// Executes the statements, all within the bound, which PostgreSQL would grant to each lock anew. Throws `Exceeded`.
    ///
    /// - Parameter settings: what holds once the locks are there; it goes with the last of them.
    func take(_ statements: [String], then settings: String, on connection: isolated PgConnection) throws {
        let start = ContinuousClock.now
        do {
            for (index, statement) in statements.enumerated() {
                let milliseconds = max(1, Int((timeout - (ContinuousClock.now - start)).milliseconds))
                let limits = [
                    "SET LOCAL lock_timeout = '\(milliseconds)ms'", "SET LOCAL statement_timeout = '\(milliseconds)ms'",
                ]
                try connection.execute(
                    limits + [statement] + (index == statements.indices.last ? [settings] : []))
            }
        } catch let error as PgError where error.sqlState == .lockNotAvailable || error.sqlState == .queryCanceled {
            throw Exceeded(timeout: timeout)
        }
    }

    static func deadlockTimeout(on connection: isolated PgConnection) throws -> Duration {
        let milliseconds: Int = try connection.query(
            "SELECT setting::int FROM pg_settings WHERE name = 'deadlock_timeout'"
        ).single().value()
        return .milliseconds(milliseconds)
    }
}
