import PgConnection

/// Makes a spool small again that keys have come to and gone from for long.
///
/// VACUUM would do it, but not while anybody's old snapshot might still want to see the deleted keys: then the spool grows for as long as that lasts, and
/// who looks for its first key has to pass all of them. Nobody but this run reads it, so that it may be truncated whatever others see.
struct SpoolRenewal: Sendable {
    let spool: QualifiedName

    /// A spool below this is left as it is: some 40,000 keys.
    static let size: Int64 = 2 << 20
    /// How many keys may be left, and how many bytes they may have, which pass through our memory.
    private static let (keys, bytes): (Int64, Int64) = (100_000, 4 << 20)
    /// How much larger than what is left in it a spool has to be.
    private static let ratio: Int64 = 4
    /// Shorter than `deadlock_timeout`, so that nobody is ended who waits for us while we wait for him.
    private static let lockTimeout = "200ms"

    /// Truncates the spool and puts back what is still in it: where somebody writes all the time, there is always something. Left for later when that is
    /// much, or when somebody is in the way.
    ///
    /// - Returns: whether it was made small.
    func run(on connection: PgConnection) async throws -> Bool {
        let size = try await connection.fileSize(of: spool)
        guard size > Self.size else { return false }
        do {
            return try await connection.transaction { [self] connection in
                try connection.execute(
                    """
                    SET LOCAL lock_timeout = '\(Self.lockTimeout)'; \(ExactText.setLocal);
                    LOCK TABLE \(spool.sql) IN ACCESS EXCLUSIVE MODE
                    """)
                let left = try connection.query(
                    """
                    SELECT count(*) AS keys, coalesce(sum(pg_column_size(s.*)), 0) AS bytes
                    FROM (SELECT * FROM \(spool.sql) LIMIT \(Self.keys + 1)) AS s
                    """
                ).single()
                let (keys, bytes): (Int64, Int64) = (try left.get("keys"), try left.get("bytes"))
                guard keys <= Self.keys, bytes <= Self.bytes, bytes * Self.ratio < size else { return false }
                let rows: String? = try connection.query(
                    "SELECT array_agg(s)::text AS rows FROM \(spool.sql) AS s"
                ).single().optional("rows")
                try connection.execute("TRUNCATE \(spool.sql)")
                try Failpoint.spoolRenewing.pass()
                if let rows {
                    try connection.query(
                        "INSERT INTO \(spool.sql) SELECT * FROM unnest($1::\(spool.sql)[])", [.text(rows)])
                }
                return true
            }
        } catch let error as PgError
            where error.sqlState == .lockNotAvailable || error.sqlState == .deadlockDetected
            || error.sqlState == .characterNotInRepertoire
        {
            // The last one: keys that are not UTF-8, in a database that does not say what they are.
            return false
        }
    }
}
