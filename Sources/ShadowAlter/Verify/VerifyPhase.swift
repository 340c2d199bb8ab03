import Logging
import PgConnection
import PgOutput
import PgReplication
import Synchronization

/// Compares every row of the tables and their shadows before they may be exchanged, in both directions, and repairs what differs.
struct VerifyPhase: Sendable {
    let record: MigrationRecord
    let control: PgConnection
    let connections: ConnectionOptions
    let stream: ChangeStream
    let refresher: Refresher
    let settings: LiveSettings
    let throttle: Throttle
    let helm: Helm
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

    /// Whether the tables are to be verified before they may be exchanged.
    func isWanted() async throws -> Bool {
        if helm.wantsVerification { return true }
        guard settings.current.verification != .off else { return false }
        let last = try await control.run { [record] in try StateStore.verification(of: record.id, on: $0) }
        return !(record.phase >= .ready && last?.outcome == .passed)
    }

    /// Throws `verificationFailed` when the shadow differs and stays different.
    func run() async throws {
        // Asked for although the command line says `off`: all of it.
        let mode = settings.current.verification == .off ? .full : settings.current.verification
        let tables = try await begin(mode)
        do {
            let found = try await verify(tables, mode)
            try await end(.passed, found)
        } catch let error as MigrationError where error.code == .verificationFailed {
            try await end(.failed, Int(status.snapshot.verify.mismatches))
            throw error
        }
    }

    private func begin(_ mode: VerificationMode) async throws -> [VerifiedTable] {
        let started = try await control.run { [record] in try StateStore.beginVerification(of: record.id, on: $0) }
        try Failpoint.verificationBegun.pass()
        helm.setVerification(startedAt: started)
        let leftOut = record.plan.uncompared
        status.update {
            $0.verify = MigrationStatus.Verify()
            $0.verify.outcome = .running
            $0.verify.mode = mode.description
            $0.verify.uncompared = leftOut.isEmpty ? nil : leftOut
            $0.reason = "verifying"
        }
        for table in record.plan.tables where !table.uncompared.isEmpty {
            let list = table.uncompared.map(\.description).joined(separator: ", ")
            log.notice("the verification leaves out of \(table.source): \(list)")
        }
        return try await withConnection { connection in
            try await connection.run { [record] connection in
                try record.tables.map { table in
                    let verified = try VerifiedTable.read(table, parks: record.isWayBack, on: connection)
                    try connection.execute(verified.sql.clear)
                    return verified
                }
            }
        }
    }

    private func end(_ outcome: VerificationOutcome, _ mismatches: Int) async throws {
        status.update {
            $0.verify.outcome = outcome
            $0.verify.mismatches = Int64(mismatches)
            $0.verifiedPart = nil
            $0.reason = nil
        }
        let rows = status.snapshot.verify.rowsChecked
        try await control.run { [record] connection in
            try StateStore.endVerification(
                of: record.id, outcome, rows: rows, mismatches: Int64(mismatches), on: connection)
        }
        try Failpoint.verified.pass()
        guard outcome == .passed else { return }
        let verdict = mismatches == 0 ? "no difference" : "\(mismatches) differences, all of them repaired"
        log.notice("verified \(rows) rows in both directions: \(verdict)")
    }

    /// Returns how many mismatches there were, which are repaired.
    ///
    /// VACUUM FULL and the like move rows without an event: what was not compared before may be where it is not looked for any more, and what was noted is
    /// not found again to be judged or repaired.
    private func verify(_ tables: [VerifiedTable], _ mode: VerificationMode) async throws -> Int {
        var total = 0
        var left = Array(tables.indices)
        while true {
            let (before, start) = try await files(of: tables)
            total += try await verify(left, of: tables, mode)
            let (now, _) = try await files(of: tables)
            left = left.filter { before[$0] != now[$0] }
            if left.isEmpty { return total }
            // Everything that is in a truncated table came after that, and is in the stream.
            try await stream.drain()
            left.removeAll { place in stream.lastTruncation(of: place).map { $0 >= start } ?? false }
            if left.isEmpty { return total }
            for place in left {
                let plan = tables[place].record.plan
                let which = before[place].first == now[place].first ? plan.green : plan.source
                log.notice("\(which) was rewritten by somebody else: its verification starts anew")
            }
        }
    }

    /// The numbers of each table's files, and the log's position when it was asked for them.
    private func files(of tables: [VerifiedTable]) async throws -> ([[UInt32?]], LSN) {
        try await control.run { connection in
            let position = try connection.query("SELECT pg_current_wal_insert_lsn()::text AS lsn").single().lsn("lsn")
            return (try tables.map { try $0.filenodes(on: connection) }, position)
        }
    }

    private func verify(_ places: [Int], of tables: [VerifiedTable], _ mode: VerificationMode) async throws -> Int {
        try await withConnection { connection in
            var generator = SystemRandomNumberGenerator()
            let sweeps = try await connection.run { connection in
                try places.flatMap { try tables[$0].sweeps(at: $0, on: connection) }
            }
            let agenda = SharedVerifyAgenda(VerifyAgenda(sweeps, share: mode.share, using: &generator))
            let suspects = Suspects(
                tables, connection: connection, stream: stream, refresher: refresher, throttle: throttle,
                status: status, log: log)
            do {
                try await sweep(tables, agenda, suspects)
                try await settle(suspects)
                guard await suspects.hasMismatches else { return 0 }
                let total = await suspects.total
                log.warning("\(total) rows of the new tables differ from what they should be: repairing them")
                try await suspects.repair()
                try await settle(suspects)
                guard await suspects.hasMismatches else { return total }
                let again = await suspects.total - total
                throw await failure("\(again) of \(total) differences came back", suspects)
            } catch is Suspects.TooMany {
                throw await failure("there are \(Suspects.limit) differences or more", suspects)
            } catch let error as PgError where error.isRowConflict {
                throw await failure("the differences cannot be repaired, \(error.message)", suspects)
            }
        }
    }

    private func failure(_ what: String, _ suspects: isolated Suspects) -> MigrationError {
        let more = suspects.total > suspects.examples.count ? "; …" : ""
        return MigrationError(
            .verificationFailed,
            "the new table is not what the old one's rows make it, and \(what): "
                + suspects.examples.joined(separator: "; ") + more,
            state: "no live table was touched; the new table, the slot and everything copied are kept",
            advice:
                "look for what else writes to the tables of the schema \(record.plan.greenSchema) (triggers, rules, people), or for a function or a type "
                + "that gives the same row another value each time; then the same command verifies again, or `shadow-alter abort \(record.name)` and start anew; "
                + "please report it if there is nothing")
    }

    /// All lanes to their end, with the shadow kept in sync beside them.
    private func sweep(_ tables: [VerifiedTable], _ agenda: SharedVerifyAgenda, _ suspects: Suspects) async throws {
        let total = max(1, agenda.update { $0.pagesLeft })
        let lanes = min(Int64(settings.current.copyWorkers), max(1, total / Self.pagesForLane))
        try await withThrowingTaskGroup(of: Void.self) { group in
            group.addTask {
                try await runLanes(Int(lanes), tables, agenda, suspects, total: total)
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

    private func runLanes(
        _ lanes: Int, _ tables: [VerifiedTable], _ agenda: SharedVerifyAgenda, _ suspects: Suspects, total: Int64
    ) async throws {
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
                        try await run(Lane(number: number, of: lanes, work: work), agenda, suspects, total: total)
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

    private func run(
        _ lane: Lane, _ agenda: SharedVerifyAgenda, _ suspects: Suspects, total: Int64
    ) async throws {
        var sizes = lane.work.tables.map { table in
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
            try await compare(stretch, lane, agenda, suspects)
            let took = ContinuousClock.now - start
            let options = settings.current
            sizes[stretch.sweep.table][stretch.sweep.isOfSource ? 0 : 1].adapt(
                took: took, for: Int64(stretch.pages.count), target: options.chunkTime,
                maximum: Self.longestStretch(lane.work.tables[stretch.sweep.table], options))
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
    private func compare(
        _ stretch: VerifyAgenda.Stretch, _ lane: Lane, _ agenda: SharedVerifyAgenda, _ suspects: Suspects
    ) async throws {
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
                    "\(record.tables[stretch.sweep.table].plan.source) is locked by somebody else; the verification waits"
                )
            }
        }
    }

    /// Until everything that was noted is judged.
    private func settle(_ suspects: Suspects) async throws {
        while await !suspects.isEmpty {
            try await suspects.round()
            if await !suspects.isEmpty { try await Task.sleep(for: .milliseconds(100)) }
        }
    }

    private func withConnection<Value: Sendable>(
        _ body: (PgConnection) async throws -> Value
    ) async throws -> Value {
        try await PgConnection.connect(connections, for: .verify, plan: record.plan).closing(after: body)
    }
}

/// The lanes' common agenda.
private final class SharedVerifyAgenda: Sendable {
    private let agenda: Mutex<VerifyAgenda>

    init(_ agenda: VerifyAgenda) { self.agenda = Mutex(agenda) }

    func update<Value: Sendable>(_ body: (inout VerifyAgenda) -> Value) -> Value { agenda.withLock { body(&$0) } }
}
