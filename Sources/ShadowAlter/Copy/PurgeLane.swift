import PgConnection

/// Purges one stretch of the shadow's pages after the other, each in a short transaction of its own.
struct PurgeLane: Sendable {
    let connection: PgConnection
    let table: TableRecord
    /// Those that the stretches are of.
    let files: ShadowFiles

    /// How long a stretch waits for somebody who has locked the shadow, a VACUUM FULL of the whole database for example.
    private static let lockTimeout = Duration.seconds(2)

    /// Deletes every spooled key's rows in these pages, of each file. Returns how many rows there were.
    ///
    /// - Throws: `ShadowFiles.Changed`; an error with `lockNotAvailable`, after which the stretch can be tried again.
    func purge(_ pages: Range<Int64>) async throws -> Int {
        try await connection.transaction { [table, files] connection in
            try connection.execute("SET LOCAL lock_timeout = '\(Int(Self.lockTimeout.milliseconds))ms'")
            // One pass over the pages, which have no index, against the hashed keys.
            try connection.execute("SET LOCAL enable_nestloop = off")
            // Before any other lock on the shadow: it is a strong one, and two lanes would wait for each other.
            let identities = try StandInIdentity.read(table.greenOID, on: connection)
            for statement in identities.map(\.give) { try connection.execute(statement) }
            try connection.execute("LOCK TABLE \(table.plan.green.sql) IN ROW EXCLUSIVE MODE")
            guard try ShadowFiles.read(table.greenOID, on: connection).identity == files.identity else {
                throw ShadowFiles.Changed()
            }
            let removed = try connection.execute(RefreshSQL(table).purge(pages)).affectedRows
            for statement in identities.map(\.takeBack) { try connection.execute(statement) }
            try Failpoint.pagesPurging.pass()
            return removed
        }
    }
}
