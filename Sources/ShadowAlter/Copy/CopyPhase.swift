import Logging
import PgConnection
import Synchronization

/// Copies all rows by ranges of physical pages, several lanes at once, into a table without any index.
struct CopyPhase: Sendable {
    let record: MigrationRecord
    let control: PgConnection
    let connections: ConnectionOptions
    let options: MigrationOptions
    let throttle: Throttle
    let status: StatusBox
    let log: Logger

    func run() async throws {
        for table in record.tables { try await copy(table) }
    }

    private func copy(_ table: TableRecord) async throws {
        var file: SourceFile
        if let known = table.file { file = known } else { file = try await startFile(table) }
        while true {
            do {
                try await copy(table, file)
                return
            } catch is CopyLane.FileChanged {
                log.notice(
                    "\(table.plan.source) was rewritten or truncated by somebody else: every row has moved, so the copy starts anew",
                    metadata: ["table": "\(table.plan.source)"])
                file = try await startFile(table)
            }
        }
    }

    /// Empties the shadow and makes a new chunk list for the file that the source has now.
    ///
    /// Rows that come later than this are dirty in the stream, so that the file's end may move on.
    private func startFile(_ table: TableRecord) async throws -> SourceFile {
        let file = try await control.transaction { connection in
            try connection.execute("LOCK TABLE ONLY \(table.plan.source.sql) IN ACCESS SHARE MODE")
            let row = try connection.query(
                """
                SELECT pg_relation_filenode($1::oid) AS filenode,
                    pg_relation_size($1::oid) / current_setting('block_size')::int AS pages
                """, [.int(table.plan.sourceOID)]
            ).single()
            let file = SourceFile(filenode: try row.get("filenode"), pages: try row.get("pages"))
            try connection.execute("TRUNCATE \(table.plan.green.sql)")
            try connection.query("DELETE FROM shadow_alter.chunk WHERE table_id = $1", [.int(table.id)])
            try StateStore.setFile(file, of: table.id, on: connection)
            return file
        }
        status.update { $0.restart(table.plan.source, pages: file.pages) }
        return file
    }

    private func copy(_ table: TableRecord, _ file: SourceFile) async throws {
        let (done, rows) = try await control.run { connection in
            let rows = try connection.query(
                "SELECT first_page, end_page, rows FROM shadow_alter.chunk WHERE table_id = $1", [.int(table.id)]
            ).rows.map { row in
                (try row.get("first_page", as: Int64.self)..<row.get("end_page"), try row.get("rows", as: Int64.self))
            }
            return (rows.map(\.0), rows.reduce(0) { $0 + $1.1 })
        }
        let queue = SharedQueue(ChunkQueue(pages: file.pages, done: done))
        status.update { $0.resume(table.plan.source, pages: file.pages, remaining: queue.remaining, rows: rows) }
        try await withThrowingTaskGroup(of: Void.self) { group in
            for lane in 0..<options.copyWorkers {
                group.addTask { try await run(lane: lane, table, file, queue) }
            }
            // The first failure ends the others after the chunk that they are in.
            try await group.waitForAll()
        }
    }

    private func run(lane: Int, _ table: TableRecord, _ file: SourceFile, _ queue: SharedQueue) async throws {
        let connection = try await PgConnection.connect(connections, for: .copy, plan: record.plan)
        var size = ChunkSize(target: options.chunkTime, maximum: options.maximumChunkPages)
        let copier = CopyLane(connection: connection, table: table, file: file)
        do {
            while true {
                try await throttle.admit(lane: lane) { queue.remaining > 0 }
                guard let pages = queue.next(size.pages) else { break }
                let start = ContinuousClock.now
                let rows = try await copyPatiently(pages, copier)
                let took = ContinuousClock.now - start
                size.adapt(took: took, for: pages.upperBound - pages.lowerBound)
                status.update { $0.copied(table.plan.source, rows: rows, pages: pages.upperBound - pages.lowerBound) }
                if options.niceRatio > 0 { try await Task.sleep(for: took * options.niceRatio) }
                try Task.checkCancellation()
            }
        } catch let error as PgError {
            await connection.close()
            throw BadData.explain(error, table: table.plan, source: .copy) ?? error
        } catch {
            await connection.close()
            throw error
        }
        await connection.close()
    }

    /// Somebody else's lock is waited for without holding anything meanwhile.
    private func copyPatiently(_ pages: Range<Int64>, _ copier: CopyLane) async throws -> Int64 {
        while true {
            try Task.checkCancellation()
            do {
                return try await copier.copy(pages)
            } catch let error as PgError where error.sqlState == .lockNotAvailable {
                log.notice("\(copier.table.plan.source) is locked by somebody else; the copy waits")
            }
        }
    }
}

/// The lanes' common list of pages.
private final class SharedQueue: Sendable {
    private let queue: Mutex<ChunkQueue>

    init(_ queue: ChunkQueue) { self.queue = Mutex(queue) }

    func next(_ size: Int64) -> Range<Int64>? { queue.withLock { $0.next(size) } }

    var remaining: Int64 { queue.withLock { $0.remaining } }
}
