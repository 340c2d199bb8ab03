import Logging
import PgConnection
import Synchronization

/// One pass over everything that is on the agenda, in several sessions, with the shadow kept in sync beside them.
struct VerifySweep: Sendable {
    let record: MigrationRecord
    let connections: ConnectionOptions
    let tables: [VerifiedTable]
    let agenda: SharedVerifyAgenda
    let suspects: Suspects
    let settings: LiveSettings
    let throttle: Throttle
    let status: StatusBox
    let log: Logger

    /// How long a lane that waits for others does so before it looks again.
    private static let idleInterval = Duration.milliseconds(10)
    /// How often the shadow is brought up to the stream meanwhile.
    private static let roundInterval = Duration.milliseconds(250)
    /// What the source's part of a stretch may have, in bytes, TOAST included: it is read with one snapshot.
    private static let stretchBytes: Int64 = 128 << 20
    /// A lane for less than this is not worth a session.
    private static let pagesForLane: Int64 = 512

    /// Returns when all lanes have come to their end.
    func run() async throws {
        let total = max(1, agenda.update { $0.pagesLeft })
        let lanes = min(Int64(settings.current.copyWorkers), max(1, total / Self.pagesForLane))
        try await withThrowingTaskGroup(of: Void.self) { group in
            group.addTask {
                try await runLanes(Int(lanes), total: total)
                await suspects.endSweep()
            }
            group.addTask {
                while await !suspects.isSwept {
                    try await suspects.round()
                    try await Task.sleep(for: Self.roundInterval)
                }
            }
            while try await group.next() != nil {}
        }
    }

    private func runLanes(_ lanes: Int, total: Int64) async throws {
        try await withThrowingTaskGroup(of: Void.self) { group in
            for number in 0..<lanes {
                guard
                    let connection = try await PgConnection.connect(
                        lane: number, connections, for: .verify, plan: record.plan, log: log)
                else { break }
                group.addTask {
                    try await connection.closing {
                        try await VerifyLane.prepare($0)
                        let work = VerifyLane(connection: $0, tables: tables, limit: Suspects.limit)
                        try await run(Lane(number: number, of: lanes, work: work), total: total)
                    }
                }
            }
            while try await group.next() != nil {}
        }
    }

    private struct Lane: Sendable {
        let number: Int
        let of: Int
        let work: VerifyLane
    }

    private func run(_ lane: Lane, total: Int64) async throws {
        var sizes = tables.map { table in
            let size = ChunkSize(maximum: Self.longestStretch(table, settings.current))
            return [size, size]
        }
        while true {
            try await throttle.admit(lane: lane.number) { agenda.update { $0.hasStretches } }
            let next = agenda.update { agenda in
                agenda.next(lanes: lane.of) { sizes[$0.table][$0.isOfSource ? 0 : 1].pages }
            }
            guard let stretch = next else { return }
            let start = ContinuousClock.now
            try await compare(stretch, lane)
            let took = ContinuousClock.now - start
            let options = settings.current
            sizes[stretch.sweep.table][stretch.sweep.isOfSource ? 0 : 1].adapt(
                took: took, for: Int64(stretch.pages.count), target: options.chunkTime,
                maximum: Self.longestStretch(tables[stretch.sweep.table], options))
            let left = agenda.update { $0.pagesLeft }
            status.update {
                $0.verifiedPart = max(0, 1 - Double(left) / Double(total))
                $0.reason = "verifying, \(max(0, 100 - left * 100 / total)) %"
            }
            if options.niceRatio > 0 { try await Task.sleep(for: took * options.niceRatio) }
            try Task.checkCancellation()
        }
    }

    private static func longestStretch(_ table: VerifiedTable, _ options: MigrationOptions) -> Int64 {
        table.extent.pages(holding: stretchBytes, atMost: options.maximumStretchPages)
    }

    /// Until no part of the stretch has more suspects than can be noted at once: where a large transaction is on its way, or very much is written,
    /// they are judged first, and the stretch is halved, so that what is written meanwhile does not keep it from ending.
    private func compare(_ stretch: VerifyAgenda.Stretch, _ lane: Lane) async throws {
        defer { agenda.update { $0.end(stretch) } }
        var parts = StretchParts(stretch.pages)
        while let pages = parts.next {
            try Task.checkCancellation()
            do {
                let part = VerifyAgenda.Stretch(sweep: stretch.sweep, pages: pages)
                let found = try await lane.work.compare(part, number: suspects.numbers())
                if found.suspects > 0 { await suspects.noted(stretch.sweep.table) }
                guard found.isCutShort else {
                    status.update { $0.verify.rowsChecked += found.rows }
                    parts.end()
                    continue
                }
                parts.halve()
                let now = await suspects.rounds
                // The one that is under way may not have them.
                while await suspects.rounds < now + 2 { try await Task.sleep(for: Self.idleInterval) }
                try await throttle.admit(lane: lane.number)
            } catch is VerifyLane.FileChanged {
                // As will be seen at the end.
                agenda.update { $0.remove(table: stretch.sweep.table) }
                return
            } catch let error as PgError where error.sqlState == .lockNotAvailable {
                log.notice(
                    "\(tables[stretch.sweep.table].record.plan.source) is locked by somebody else; the verification waits"
                )
            }
        }
    }
}

/// The lanes' common agenda.
final class SharedVerifyAgenda: Sendable {
    private let agenda: Mutex<VerifyAgenda>

    init(_ agenda: VerifyAgenda) { self.agenda = Mutex(agenda) }

    func update<Value: Sendable>(_ body: (inout VerifyAgenda) -> Value) -> Value { agenda.withLock { body(&$0) } }
}
