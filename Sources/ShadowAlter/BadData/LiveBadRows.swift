import PgConnection

/// Finds out which of the spooled keys' rows the new table does not take, by refreshing them together and then by halves, and taking it back.
struct LiveBadRows: Sendable {
    let table: TableRecord
    let refresh: RefreshBatch
    let mode: RefreshBatch.Mode
    let connection: PgConnection

    /// How many spooled keys are looked at.
    private static let spooled = 10_000

    /// - Parameter after: the last number in the spool that is not looked at.
    func find(after: Int64) async throws -> BadRows {
        var result = BadRows(table: table.plan.source.description)
        let spool = table.spool
        let entries: [Int64] = try await connection.run { connection in
            try connection.query(
                "SELECT seq FROM \(spool.sql) WHERE seq > $1 ORDER BY seq LIMIT $2",
                [.int(after), .int(Self.spooled)]
            ).rows.map { try $0.value() }
        }
        let bad = try await Bisection.failing(entries, limit: BadRows.limit) { part -> PgError? in
            guard let first = part.first else { return nil }
            try Task.checkCancellation()
            return try await failure(after: first - 1, limit: part.count)
        }
        let probe = try await connection.transaction { [table] connection in
            let probe = try connection.readingDefinitions {
                try ProbeTable.read(table.greenOID, isPartitioned: table.plan.isPartitioned, on: $0)
            }
            try connection.execute(ProbeTable.drop)
            try connection.execute(probe.create)
            return probe
        }
        let naming = BadRowNaming(sql: ProbeSQL(table.plan), probe: probe, spool: spool)
        // A row that was written twice is there twice.
        var places: Set<String> = []
        for entry in bad {
            let place: String? = try await connection.run { connection in
                try connection.query(naming.sql.place(of: entry.item, in: spool)).first?.value()
            }
            guard let place, places.insert(place).inserted else { continue }
            let isNamed = result.rows.count < BadRows.named
            result.add(isNamed ? try await naming.name(place, entry.failure, on: connection) : nil)
        }
        result.rowsChecked = Int64(entries.count)
        result.isComplete = entries.count < Self.spooled
        return result
    }

    private func failure(after: Int64, limit: Int) async throws -> PgError? {
        do {
            try await connection.rolledBackTransaction { [refresh, mode] connection in
                _ = try refresh.run(after: after, limit: limit, mode: mode, on: connection)
            }
            return nil
        } catch let error as PgError where error.isAboutData {
            return error
        }
    }
}
