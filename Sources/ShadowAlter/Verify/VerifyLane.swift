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
    static let lockTimeout = "2s"

    /// Lets the hash tables of the session's joins have what the server gives a session for maintenance, so that they need no temporary files.
    static func prepare(_ connection: PgConnection) async throws {
        try await connection.query(
            """
            SELECT set_config('work_mem', greatest(work.setting::bigint,
                (maintenance.setting::float8 / multiplier.setting::float8)::bigint)::text, false)
            FROM pg_settings work, pg_settings maintenance, pg_settings multiplier
            WHERE work.name = 'work_mem' AND maintenance.name = 'maintenance_work_mem' AND multiplier.name = 'hash_mem_multiplier'
            """)
    }

    /// - Parameter number: the suspects' numbers are after this one, and at most `limit` further.
    func compare(_ stretch: VerifyAgenda.Stretch, number: Int64) async throws -> Found {
        let table = tables[stretch.sweep.table]
        return try await connection.transaction { [self] connection in
            try connection.execute("SET LOCAL lock_timeout = '\(Self.lockTimeout)'")
            switch stretch.sweep.side {
            case .source, .pair: return try compareSource(table, stretch, number, on: connection)
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
        guard case .pair(let green, let map) = stretch.sweep.side else {
            let row = try connection.query(table.sql.compare(pages: stretch.pages, limit: limit)).single()
            return Found(rows: try row.get("rows"))
                + (try note(table.sql.noteDifferent, number, row.optional("places"), limit, on: connection))
        }
        // Half of the numbers for either direction.
        let half = limit / 2
        try connection.execute("SET LOCAL enable_hashjoin = on")
        let comparison = table.sql.compare(
            pages: stretch.pages, with: (green, map.green(of: stretch.pages)), limit: half)
        let row = try connection.query(comparison).single()
        try connection.execute("SET LOCAL enable_hashjoin = off")
        return Found(rows: try row.get("rows"))
            + (try note(table.sql.noteDifferent, number, row.optional("places"), half, on: connection))
            + (try note(
                table.sql.noteForeignAtPlaces, number + Int64(half), row.optional("strangers"), half, on: connection))
    }

    /// - Parameters:
    ///   - places: at most `limit`; nil when there are none.
    private func note(
        _ statement: String, _ number: Int64, _ places: [String]?, _ limit: Int, on connection: isolated PgConnection
    ) throws -> Found {
        guard let places else { return Found() }
        let suspects = try connection.query(statement, [.int(number), .array(places)]).affectedRows
        return Found(suspects: suspects, isCutShort: places.count >= limit)
    }

    private func note(_ statement: String, _ number: Int64, on connection: isolated PgConnection) throws -> Found {
        let suspects = try connection.query(statement, [.int(number)]).affectedRows
        return Found(suspects: suspects, isCutShort: suspects >= limit)
    }
}

extension VerifyLane.Found {
    fileprivate static func + (one: Self, other: Self) -> Self {
        Self(
            rows: one.rows + other.rows, suspects: one.suspects + other.suspects,
            isCutShort: one.isCutShort || other.isCutShort)
    }
}
