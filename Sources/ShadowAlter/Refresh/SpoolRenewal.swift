import PgConnection

/// Makes a spool small again that keys have come to and gone from for long.
///
/// VACUUM would do it, but not while anybody's old snapshot might still want to see the deleted keys: then the spool grows for as long as that lasts, and
/// who looks for its first key has to pass all of them. Nobody but this run reads it, so that it may be truncated whatever others see.
struct SpoolRenewal: Sendable {
    let spool: QualifiedName

    /// A spool below this is left as it is: some 40,000 keys.
    static let size: Int64 = 2 << 20
    /// How many keys may be left, which pass through our memory.
    private static let limit = 100_000
    /// How much larger than the text of what is left in it a spool has to be. A key takes about twice its text there.
    private static let ratio = 4
    /// Shorter than `deadlock_timeout`, so that nobody is ended who waits for us while we wait for him.
    private static let lockTimeout = "200ms"

    /// Truncates the spool and puts back what is still in it: where somebody writes all the time, there is always something. Left for later when that is
    /// much, or when somebody is in the way.
    ///
    /// - Returns: whether it was made small.
    func run(on connection: PgConnection) async throws -> Bool {
        let size: Int64 = try await connection.query(
            "SELECT pg_relation_size($1::text::regclass)", [.text(spool.sql)]
        ).single().value()
        guard size > Self.size else { return false }
        do {
            return try await connection.transaction { [self] connection in
                try connection.execute(
                    """
                    SET LOCAL lock_timeout = '\(Self.lockTimeout)'; \(ExactText.setLocal);
                    LOCK TABLE \(spool.sql) IN ACCESS EXCLUSIVE MODE
                    """)
                let left = try connection.query(
                    "SELECT count(*) AS keys, array_agg(s)::text AS rows FROM (SELECT * FROM \(spool.sql) LIMIT \(Self.limit + 1)) s"
                ).single()
                let rows: String? = try left.optional("rows")
                guard try left.get("keys") <= Self.limit, Int64(rows?.utf8.count ?? 0) * Int64(Self.ratio) < size else {
                    return false
                }
                try connection.execute("TRUNCATE \(spool.sql)")
                try Failpoint.spoolRenewing.pass()
                if let rows {
                    try connection.query(
                        "INSERT INTO \(spool.sql) SELECT * FROM unnest($1::\(spool.sql)[])", [.text(rows)])
                }
                return true
            }
        } catch let error as PgError where error.sqlState == .lockNotAvailable || error.sqlState == .deadlockDetected {
            return false
        }
    }
}
