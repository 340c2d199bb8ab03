import Logging
import PgConnection

/// Compares one stretch after the other, each in a short transaction of its own.
struct VerifyLane: Sendable {
    /// The source is another physical file than the one that the sweep was made for.
    struct FileChanged: Error {}

    /// What a stretch has brought to light.
    struct Found: Sendable, Equatable {
        var rows: Int64 = 0
        /// Noted for judging.
        var suspects = 0
        /// There were more of them than are noted at once.
        var isCutShort = false
    }

    let connection: PgConnection
    let tables: [VerifiedTable]
    /// How many suspects a stretch may note.
    let limit: Int

    /// How long a stretch waits for a lock of somebody else's before it looks around.
    private static let lockTimeout = Duration.seconds(2)

    /// - Parameter number: the suspects' numbers are after this one, and at most `limit` further.
    func compare(_ stretch: VerifyAgenda.Stretch, number: Int64) async throws -> Found {
        let table = tables[stretch.sweep.table]
        return try await connection.transaction { [self] connection in
            try connection.execute("SET LOCAL lock_timeout = '\(Int(Self.lockTimeout.milliseconds))ms'")
            switch stretch.sweep.side {
            case .source: return try compareSource(table, stretch, number, on: connection)
            case .green(let file):
                return try note(
                    table.sql.noteForeign(in: (file, stretch.pages), limit: limit), number, on: connection)
            case .wholeGreen:
                try connection.execute("SET LOCAL enable_hashjoin = on; SET LOCAL enable_seqscan = on")
                return try note(table.sql.noteForeign(in: nil, limit: limit), number, on: connection)
            }
        }
    }

    /// VACUUM FULL and the like move rows without an event; under ACCESS SHARE none of them can happen.
    private func compareSource(
        _ table: VerifiedTable, _ stretch: VerifyAgenda.Stretch, _ number: Int64, on connection: isolated PgConnection
    ) throws -> Found {
        try connection.execute("LOCK TABLE ONLY \(table.record.plan.source.sql) IN ACCESS SHARE MODE")
        let filenode: UInt32? = try connection.query(
            "SELECT pg_relation_filenode($1::oid) AS filenode", [.int(table.record.plan.sourceOID)]
        ).single().optional("filenode")
        try SourceIdentity(plan: table.record.plan).check(on: connection)
        guard filenode == stretch.sweep.filenode else { throw FileChanged() }
        let row = try connection.query(table.sql.compare(pages: stretch.pages, limit: limit)).single()
        var found = Found(rows: try row.get("rows"))
        guard let places: [String] = try row.optional("places") else { return found }
        found.suspects = try connection.query(table.sql.noteDifferent, [.int(number), .array(places)]).affectedRows
        found.isCutShort = places.count >= limit
        return found
    }

    private func note(_ statement: String, _ number: Int64, on connection: isolated PgConnection) throws -> Found {
        let suspects = try connection.query(statement, [.int(number)]).affectedRows
        return Found(suspects: suspects, isCutShort: suspects >= limit)
    }
}
