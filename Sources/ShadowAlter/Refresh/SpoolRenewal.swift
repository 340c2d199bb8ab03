import PgConnection

/// Makes a spool small again that keys have come to and gone from for long.
///
/// VACUUM would do it, but not while anybody's old snapshot might still want to see the deleted keys: then the spool grows for as long as that lasts, and
/// who looks for its first key has to pass all of them. Nobody but this run reads it, so that it may be truncated whatever others see.
struct SpoolRenewal: Sendable {
    let batch: RefreshBatch
    let mode: RefreshBatch.Mode
    /// Everything up to here is settled.
    let settledThrough: Int64

    /// A spool below this is left as it is: some 40,000 keys.
    static let size: Int64 = 2 << 20
    /// How many keys may be left.
    private static let limit = 10_000
    /// Shorter than `deadlock_timeout`, so that nobody is ended who waits for us while we wait for him.
    private static let lockTimeout = "200ms"

    /// Settles what is left while nobody can add to it, and truncates the spool. Not every key can be settled at any time: then, or when somebody is in the
    /// way, it is left for later. What is wrong with a row is for the next pass to say.
    ///
    /// - Returns: what it has settled; nil when the spool was left as it is.
    func run(on connection: PgConnection) async throws -> Int? {
        let spool = batch.sql.spool
        let isLarge: Bool = try await connection.query(
            "SELECT pg_relation_size($1::text::regclass) > $2", [.text(spool.sql), .int(Self.size)]
        ).single().value()
        guard isLarge else { return nil }
        do {
            return try await connection.transaction { connection in
                try connection.execute(
                    "SET LOCAL lock_timeout = '\(Self.lockTimeout)'; LOCK TABLE \(spool.sql) IN ACCESS EXCLUSIVE MODE")
                let result = try batch.run(after: settledThrough, limit: Self.limit, mode: mode, on: connection)
                guard result.settled == result.examined, result.examined < Self.limit else { throw LeftForLater() }
                try connection.execute("TRUNCATE \(spool.sql)")
                try Failpoint.spoolRenewing.pass()
                try batch.note(result, on: connection)
                return result.settled
            }
        } catch is LeftForLater {
            return nil
        } catch let error as PgError
            where error.isAboutData || error.sqlState == .lockNotAvailable || error.sqlState == .deadlockDetected
        {
            return nil
        }
    }

    private struct LeftForLater: Error {}
}
