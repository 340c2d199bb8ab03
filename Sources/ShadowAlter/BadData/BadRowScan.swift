import PgConnection

/// How a search that nobody waits for goes on: in short steps, with pauses.
struct SearchPace: Sendable {
    /// How long a step is to take.
    var step = MigrationOptions().chunkTime
    /// In pages.
    var largestStep = MigrationOptions().maximumChunkPages
    /// How long to pause after each step, as a multiple of how long it took.
    var niceRatio = 0.0
    /// Asked before each step; waits while nothing may be done.
    var admit: @Sendable () async throws -> Void = { try Task.checkCancellation() }
    /// Told after each step: which part is done, 0 to 1, and how much was found.
    var progress: @Sendable (Double, Int) -> Void = { _, _ in }
}

/// Looks for all rows of a table that the new one does not take, page range by page range, each in its own short transaction under ACCESS SHARE.
/// They are written to a temporary table of the session only.
struct BadRowScan: Sendable {
    let plan: TablePlan
    let probe: ProbeTable
    let spool: QualifiedName?
    /// In which `ProbeTable.create` was executed.
    let connection: PgConnection
    /// How many are counted.
    var limit = BadRows.limit
    let pace: SearchPace
    /// Told of each row that is named, at once.
    let found: @Sendable (BadRow) -> Void

    private var sql: ProbeSQL { ProbeSQL(plan) }

    /// How long a step waits for a lock of somebody else's before it looks around.
    private static let lockTimeout = "2s"

    /// - Parameter ranges: of pages.
    func run(over ranges: [Range<Int64>]) async throws -> BadRows {
        // Each trial is one statement and a transaction of its own: most of the time goes into asking.
        try await connection.execute("SET lock_timeout = '\(Self.lockTimeout)'")
        var result = BadRows(table: plan.source.description)
        let total = max(1, ranges.reduce(0) { $0 + Int64($1.count) })
        var looked: Int64 = 0
        var size = ChunkSize(maximum: pace.largestStep)
        for range in ranges {
            var queue = ChunkQueue(pages: range.upperBound, done: [0..<range.lowerBound])
            while let pages = queue.next(size.pages) {
                try await pace.admit()
                let start = ContinuousClock.now
                let before = result.total
                try await look(pages, &result)
                guard result.total < limit else {
                    result.isComplete = false
                    return result
                }
                let took = ContinuousClock.now - start
                // What it takes to find a row says nothing of how long the next step will take.
                if result.total == before {
                    size.adapt(took: took, for: Int64(pages.count), target: pace.step, maximum: pace.largestStep)
                }
                looked += Int64(pages.count)
                pace.progress(Double(looked) / Double(total), result.total)
                if pace.niceRatio > 0 { try await Task.sleep(for: took * pace.niceRatio) }
            }
        }
        return result
    }

    private func look(_ pages: Range<Int64>, _ result: inout BadRows) async throws {
        var rows: Int64 = 0
        let left = limit - result.total
        let bad = try await Bisection.failing(Array(pages), limit: left) { part -> PgError? in
            guard let first = part.first, let last = part.last else { return nil }
            try await pace.admit()
            return try await attempt(sql.insert(pages: first..<last + 1), &rows)
        }
        for page in bad.map(\.item) {
            let places: [String] = try await connection.run { connection in
                try connection.query(sql.places(page: page)).rows.map { try $0.value() }
            }
            let found = try await Bisection.failing(places, limit: limit - result.total) { part -> PgError? in
                try await attempt(sql.insert(places: part), &rows)
            }
            for bad in found { try await add(bad, &result) }
            rows += Int64(found.count)
        }
        result.rowsChecked += rows
    }

    private func add(_ bad: Bisection.Failing<String, PgError>, _ result: inout BadRows) async throws {
        guard result.rows.count < BadRows.named else { return result.add(nil) }
        let naming = BadRowNaming(sql: sql, probe: probe, spool: spool)
        let row = try await naming.name(bad.item, bad.failure, on: connection)
        result.add(row)
        if let row { found(row) }
    }

    /// Somebody else's lock is waited for without holding anything meanwhile.
    private func attempt(_ statement: String, _ rows: inout Int64) async throws -> PgError? {
        while true {
            try Task.checkCancellation()
            do {
                rows += Int64(try await connection.execute(statement).affectedRows)
                return nil
            } catch let error as PgError where error.isAboutData {
                return error
            } catch let error as PgError where error.sqlState == .lockNotAvailable {
                continue
            }
        }
    }
}
