import Logging
import PgConnection
import Synchronization

/// After the last chunk: deletes every spooled key from the shadow, which removes all rows that were copied twice or stale.
///
/// A row that changed while the copy ran may have been met in two versions on two pages, or not at all; its key is in the spool, since the
/// stream was drained after the last chunk. What remains was copied exactly once and has not changed since.
///
/// Keys that come meanwhile may be deleted or not: they stay in the spool. So it goes by stretches of pages, as the copy does, without a snapshot that
/// lasts as long as the table is large, and begins anew in the next run when this one dies.
struct Purge: Sendable {
    let record: MigrationRecord
    let control: PgConnection
    let connections: ConnectionOptions
    let settings: LiveSettings
    let throttle: Throttle
    let status: StatusBox
    let log: Logger

    /// A lane for less than this is not worth a session.
    private static let pagesForLane: Int64 = 512
    /// Each stretch hashes the spool's keys anew, which is to be a part of its time only.
    private static let timesHashing = 4
    /// A page's number has 32 bits.
    private static let pagesOfAnyFile = Int64(UInt32.max)

    /// Returns how many rows were removed.
    func run() async throws -> Int {
        var removed = 0
        for table in record.tables where try await isNeeded(table) { removed += try await purge(table) }
        status.update { $0.reason = nil }
        try await control.transaction { [record] connection in
            try Failpoint.purging.pass()
            try StateStore.setPhase(.indexing, of: record.id, on: connection)
        }
        return removed
    }

    private func isNeeded(_ table: TableRecord) async throws -> Bool {
        try await control.transaction { connection in
            let row = try connection.query(
                """
                SELECT truncated_at IS NOT NULL AS truncated, EXISTS (SELECT FROM \(table.spool.sql)) AS spooled
                FROM shadow_alter.migrated_table WHERE id = $1
                """, [.int(table.id)]
            ).single()
            // Refresh would do the same in front of its first batch; until then the rows only cost time.
            if try row.get("truncated") {
                try connection.execute("TRUNCATE \(table.plan.green.sql)")
                return false
            }
            guard try row.get("spooled") else { return false }
            try connection.execute("ANALYZE \(table.spool.sql)")
            return true
        }
    }

    private func purge(_ table: TableRecord) async throws -> Int {
        let removed = Mutex(0)
        while true {
            let files = try await control.run { try ShadowFiles.read(table.greenOID, on: $0) }
            do {
                try await sweep(table, files) { count in removed.withLock { $0 += count } }
                return removed.withLock { $0 }
            } catch is ShadowFiles.Changed {
                log.notice("\(table.plan.green) was rewritten by somebody else: its purge starts anew")
            }
        }
    }

    private func sweep(
        _ table: TableRecord, _ files: ShadowFiles, counting count: @escaping @Sendable (Int) -> Void
    ) async throws {
        let queue = PageQueue(files.pages)
        let lanes = min(Int64(settings.current.copyWorkers), max(1, files.pages / Self.pagesForLane))
        try await withThrowingTaskGroup(of: Void.self) { group in
            for number in 0..<Int(lanes) {
                guard
                    let connection = try await PgConnection.connect(
                        lane: number, connections, for: .copy, plan: record.plan, log: log)
                else { break }
                group.addTask {
                    try await connection.closing {
                        let lane = PurgeLane(connection: $0, table: table, files: files)
                        try await run(lane, number, queue, counting: count)
                    }
                }
            }
            while try await group.next() != nil {}
        }
    }

    private func run(
        _ lane: PurgeLane, _ number: Int, _ queue: PageQueue, counting count: @Sendable (Int) -> Void
    ) async throws {
        var size = ChunkSize(maximum: Self.pagesOfAnyFile)
        var shortest: Duration?
        while true {
            try await throttle.admit(lane: number) { queue.remaining > 0 }
            guard let pages = queue.next(size.pages) else { return }
            let start = ContinuousClock.now
            count(try await purgePatiently(pages, lane))
            try Failpoint.pagesPurged.pass()
            let took = ContinuousClock.now - start
            let hashing = min(shortest ?? took, took)
            shortest = hashing
            let options = settings.current
            size.adapt(
                took: took, for: Int64(pages.count), target: max(options.chunkTime, hashing * Self.timesHashing),
                maximum: Self.pagesOfAnyFile)
            let part = 100 - queue.remaining * 100 / max(1, lane.files.pages)
            status.update {
                $0.reason = "removing from the new table what has changed since it was copied, \(part) %"
            }
            if options.niceRatio > 0 { try await Task.sleep(for: took * options.niceRatio) }
        }
    }

    private func purgePatiently(_ pages: Range<Int64>, _ lane: PurgeLane) async throws -> Int {
        while true {
            try Task.checkCancellation()
            do {
                return try await lane.purge(pages)
            } catch let error as PgError where error.sqlState == .lockNotAvailable {
                log.notice("\(lane.table.plan.green) is locked by somebody else; the purge waits")
            }
        }
    }
}

/// Pages that several lanes take from, in order.
private final class PageQueue: Sendable {
    private let queue: Mutex<ChunkQueue>

    init(_ pages: Int64) { queue = Mutex(ChunkQueue(pages: pages)) }

    var remaining: Int64 { queue.withLock { $0.remaining } }

    func next(_ size: Int64) -> Range<Int64>? { queue.withLock { $0.next(size) } }
}
