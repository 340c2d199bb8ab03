import Logging
import PgConnection
import PgOutput
import PgReplication

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
            var tables: [VerifiedTable] = []
            for table in record.tables {
                tables.append(
                    try await patiently(table, on: connection) { [record] connection in
                        let verified = try VerifiedTable.read(table, parks: record.isWayBack, on: connection)
                        try connection.execute(verified.sql.clear)
                        return verified
                    })
            }
            return tables
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
            var sweeps: [VerifyAgenda.Sweep] = []
            for place in places {
                sweeps += try await patiently(tables[place].record, on: connection) {
                    try tables[place].sweeps(at: place, on: $0)
                }
            }
            let agenda = VerifyAgenda(sweeps, share: mode.share, using: &generator)
            let suspects = Suspects(
                tables, connection: connection, stream: stream, refresher: refresher, throttle: throttle,
                status: status, log: log)
            do {
                try await VerifySweep(
                    record: record, connections: connections, tables: tables, agenda: SharedVerifyAgenda(agenda),
                    suspects: suspects, settings: settings, throttle: throttle, status: status, log: log
                ).run()
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

    /// Somebody else's lock is waited for, and that is said. No transaction: it would keep the table's lock over many statements.
    private func patiently<Value: Sendable>(
        _ table: TableRecord, on connection: PgConnection,
        _ body: @Sendable (isolated PgConnection) throws -> Value
    ) async throws -> Value {
        while true {
            try Task.checkCancellation()
            do {
                return try await connection.run { connection in
                    try connection.execute("SET lock_timeout = '\(VerifyLane.lockTimeout)'")
                    let value = try body(connection)
                    try connection.execute("SET lock_timeout = 0")
                    return value
                }
            } catch let error as PgError where error.sqlState == .lockNotAvailable {
                log.notice("\(table.plan.source) is locked by somebody else; the verification waits")
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
