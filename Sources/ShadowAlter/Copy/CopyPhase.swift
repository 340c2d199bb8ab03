import Logging
import PgConnection
import Synchronization

/// Copies all rows of all tables by ranges of physical pages, several lanes at once, into tables without any index.
struct CopyPhase: Sendable {
    let record: MigrationRecord
    let control: PgConnection
    let connections: ConnectionOptions
    let settings: LiveSettings
    let throttle: Throttle
    let status: StatusBox
    let log: Logger

    /// How long a lane that has nothing to do waits before it looks again.
    private static let idleInterval = Duration.milliseconds(10)
    /// What a chunk may bring along, in bytes. Until its commit the WAL sender keeps its rows in memory, those of all lanes together up to
    /// `logical_decoding_work_mem` (64 MB by default), and beyond that in files.
    private static let chunkBytes: Int64 = 16 << 20
    /// How often a chunk may fail for a row that nobody finds afterwards.
    private static let patience = 3

    func run() async throws {
        try await lookForMisfits()
        for attempt in 1... {
            do {
                return try await copy()
            } catch let finding as CopyDoctor.Finding {
                let doctor = CopyDoctor(
                    record: try await reread(), control: control, connections: connections, settings: settings,
                    throttle: throttle, status: status, log: log)
                if let error = try await doctor.explain(finding) { throw error }
                let table = record.tables[finding.table].plan
                guard attempt < Self.patience else {
                    throw BadData.explain(finding.error, table: table, source: .copy) ?? finding.error
                }
                log.notice("the row of \(table.source) has been changed meanwhile: the copy goes on")
            }
        }
    }

    /// With the files that chunk lists have been made for.
    private func reread() async throws -> MigrationRecord {
        try await control.run { [record] in try StateStore.find(id: record.id, on: $0) } ?? record
    }

    private func copy() async throws {
        let record = try await reread()
        let agenda = SharedAgenda(CopyAgenda(tables: record.tables.count))
        for (index, table) in record.tables.enumerated() {
            if let file = table.file {
                try await resume(table, file, at: index, agenda)
            } else {
                try await start(table, at: index, agenda, on: control)
            }
        }
        try await runLanes(agenda, extents(of: record))
    }

    /// Somebody else's lock is waited for, and commands are heard meanwhile.
    private func extents(of record: MigrationRecord) async throws -> [TableExtent] {
        var extents: [TableExtent] = []
        for table in record.tables {
            let extent = try await patiently(table) {
                try await control.transaction { connection in
                    try connection.execute("SET LOCAL lock_timeout = '\(CopyLane.lockTimeout)'")
                    return try TableExtent.read(table.plan.sourceOID, on: connection)
                }
            }
            extents.append(extent)
        }
        return extents
    }

    private enum Ended: Sendable {
        case lane
        case pause
    }

    /// How often a change of the number of lanes is looked for.
    private static let laneInterval = Duration.milliseconds(200)

    /// As many lanes as the setting says at any time. One that is not wanted any more waits in `admit`, with a session that does nothing.
    private func runLanes(_ agenda: SharedAgenda, _ extents: [TableExtent]) async throws {
        try await withThrowingTaskGroup(of: Ended.self) { group in
            var lanes = 0
            var running = 0
            var isOver = false
            // The first failure ends the others after the chunk that they are in.
            repeat {
                let wanted = settings.current.copyWorkers
                throttle.setLanes(wanted)
                while lanes < wanted, !isOver {
                    let lane = lanes
                    lanes += 1
                    guard
                        let connection = try await PgConnection.connect(
                            lane: lane, connections, for: .copy, plan: record.plan, log: log)
                    else { continue }
                    group.addTask {
                        try await connection.closing { try await copy(lane: lane, agenda, extents, on: $0) }
                        return .lane
                    }
                    running += 1
                }
                group.addTask {
                    try? await Task.sleep(for: Self.laneInterval)
                    return .pause
                }
                while case .lane? = try await group.next() {
                    running -= 1
                    // It ends when nothing is left.
                    isOver = true
                    if running == 0 { break }
                }
            } while running > 0
            group.cancelAll()
        }
    }

    /// Before the first chunk: once rows have been copied, what was found missing has been added, or fails for itself.
    private func lookForMisfits() async throws {
        for table in record.tables where table.plan.isPartitioned {
            let hasBegun: Bool = try await control.query(
                "SELECT EXISTS (SELECT FROM shadow_alter.chunk WHERE table_id = $1)", [.int(table.id)]
            ).single().value()
            guard !hasBegun else { continue }
            status.update { $0.reason = "looking for rows of \(table.plan.source) that no partition takes" }
            try await PgConnection.connect(connections, for: .copy, plan: record.plan).closing { connection in
                try await MisfitScan(table: table, connection: connection).run {
                    try Task.checkCancellation()
                    try await throttle.admit()
                }
            }
            status.update { $0.reason = nil }
        }
    }

    /// Empties the shadow and makes a new chunk list for the file that the source has now.
    ///
    /// Rows that come later than this are dirty in the stream, so that the file's end may move on.
    private func start(
        _ table: TableRecord, at index: Int, _ agenda: SharedAgenda, on connection: PgConnection
    ) async throws {
        let file = try await patiently(table) {
            try await connection.transaction { connection in
                try connection.execute("SET LOCAL lock_timeout = '\(CopyLane.lockTimeout)'")
                try connection.execute("LOCK TABLE ONLY \(table.plan.source.sql) IN ACCESS SHARE MODE")
                try SourceIdentity(plan: table.plan).check(on: connection)
                let row = try connection.query(
                    """
                    SELECT pg_relation_filenode($1::oid) AS filenode,
                        pg_relation_size($1::oid) / current_setting('block_size')::int AS pages
                    """, [.int(table.plan.sourceOID)]
                ).single()
                let file = SourceFile(filenode: try row.get("filenode"), pages: try row.get("pages"))
                try connection.execute("TRUNCATE \(table.plan.green.sql)")
                try connection.query("DELETE FROM shadow_alter.chunk WHERE table_id = $1", [.int(table.id)])
                try Failpoint.copyStarting.pass()
                try StateStore.setFile(file, of: table.id, on: connection)
                return file
            }
        }
        try Failpoint.copyStarted.pass()
        status.update { $0.restart(table.plan.source, pages: file.pages) }
        agenda.update { $0.open(index, file, ChunkQueue(pages: file.pages)) }
    }

    /// Goes on where a run before this one has ended.
    private func resume(_ table: TableRecord, _ file: SourceFile, at index: Int, _ agenda: SharedAgenda) async throws {
        let (done, rows) = try await control.run { connection in
            let rows: Int64 = try connection.query(
                "SELECT coalesce(sum(rows), 0)::bigint FROM shadow_alter.chunk WHERE table_id = $1", [.int(table.id)]
            ).single().value()
            return (try StateStore.copiedPages(of: table.id, on: connection), rows)
        }
        let queue = ChunkQueue(pages: file.pages, done: done)
        status.update { $0.resume(table.plan.source, pages: file.pages, remaining: queue.remaining, rows: rows) }
        agenda.update { $0.open(index, file, queue) }
    }

    private func copy(
        lane: Int, _ agenda: SharedAgenda, _ extents: [TableExtent], on connection: PgConnection
    ) async throws {
        // Rows of one table are not as long as those of another.
        var sizes = extents.map { ChunkSize(maximum: Self.largestChunk($0, settings.current)) }
        while true {
            try await throttle.admit(lane: lane) { agenda.update { $0.hasChunks } }
            switch agenda.update({ $0.next(sizes: sizes.map(\.pages)) }) {
            case .finished:
                return
            case .wait:
                try await Task.sleep(for: Self.idleInterval)
            case .chunk(let chunk):
                let start = ContinuousClock.now
                try await copy(chunk, agenda, on: connection)
                let took = ContinuousClock.now - start
                let options = settings.current
                sizes[chunk.table].adapt(
                    took: took, for: Int64(chunk.pages.count), target: options.chunkTime,
                    maximum: Self.largestChunk(extents[chunk.table], options))
                if options.niceRatio > 0 { try await Task.sleep(for: took * options.niceRatio) }
                try Task.checkCancellation()
            }
        }
    }

    private static func largestChunk(_ extent: TableExtent, _ options: MigrationOptions) -> Int64 {
        extent.pages(holding: chunkBytes, atMost: options.maximumChunkPages)
    }

    private func copy(_ chunk: CopyAgenda.Chunk, _ agenda: SharedAgenda, on connection: PgConnection) async throws {
        defer { agenda.update { $0.end(chunk) } }
        let table = record.tables[chunk.table]
        let copier = CopyLane(connection: connection, table: table, file: chunk.file)
        do {
            let rows = try await patiently(table) { try await copier.copy(chunk.pages) }
            try Failpoint.chunkCopied.pass()
            status.update { $0.copied(table.plan.source, rows: rows, pages: Int64(chunk.pages.count)) }
        } catch is CopyLane.FileChanged {
            guard agenda.update({ $0.isFirstToRestart(chunk) }) else { return }
            log.notice(
                "\(table.plan.source) was rewritten or truncated by somebody else: every row has moved, so the copy starts anew",
                metadata: ["table": "\(table.plan.source)"])
            try await start(table, at: chunk.table, agenda, on: connection)
        } catch let error as PgError {
            guard error.isAboutData else { throw error }
            throw CopyDoctor.Finding(error: error, table: chunk.table)
        }
    }

    /// Somebody else's lock is waited for without holding anything meanwhile.
    private func patiently<Value: Sendable>(
        _ table: TableRecord, _ body: () async throws -> Value
    ) async throws -> Value {
        while true {
            try Task.checkCancellation()
            do {
                return try await body()
            } catch let error as PgError where error.sqlState == .lockNotAvailable {
                log.notice("\(table.plan.source) is locked by somebody else; the copy waits")
            }
        }
    }
}

/// The lanes' common agenda.
private final class SharedAgenda: Sendable {
    private let agenda: Mutex<CopyAgenda>

    init(_ agenda: CopyAgenda) { self.agenda = Mutex(agenda) }

    func update<Value: Sendable>(_ body: (inout CopyAgenda) -> Value) -> Value { agenda.withLock { body(&$0) } }
}
