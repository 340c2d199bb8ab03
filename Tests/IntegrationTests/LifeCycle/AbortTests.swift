import LedgerWorkload
import PgConnection
import ShadowAlter
import Testing
import ThrowawayServer

extension LiveMigrations {
    /// `abort` at every moment before the exchange, while a run is alive and when it is dead: nothing is left, and the application notices nothing.
    @Suite(.serialized, .timeLimit(.minutes(10))) struct AbortTests {
        enum Moment: CaseIterable {
            case capturing
            case copying
            case paused
            case throttled
            case indexing
            case catchingUp
            case ready
            case cuttingOver
        }

        /// One after the other on one table, under one load.
        @Test(arguments: try await Servers.outermost())
        func nothingIsLeftAndNobodyNotices(_ binaries: ServerBinaries) async throws {
            let ordinary = try MigrationCase("add-check")
            let database = try await TestDatabase.create("abort_moments", on: binaries)
            try await database.psql(Barrier.setup + (try #require(ordinary.sql(.setup))))
            try await database.psql("CREATE INDEX orders_barrier ON orders (index_barrier(id, 1500))")
            let stage = try await Stage(database)
            let definition = try await stage.definition()
            // The rows that are there stay: the barrier is at one of them.
            let workload = try await Workload.start(
                table: ordinary.table, options: database.options,
                settings: WorkloadSettings(
                    seed: try WorkloadSeed.choose(), clients: 3, rate: 60, rowsPerClient: 600, adoptedRows: 0),
                announce: { print("\(binaries), abort: \($0)") })
            do {
                for moment in Moment.allCases {
                    for isAlive in [true, false] { try await abort(at: moment, isAlive: isAlive, stage) }
                }
            } catch {
                await workload.stop()
                throw error
            }
            #expect(try await stage.definition() == definition)
            let before = workload.progress.operations
            try await eventually("the load goes on") { workload.progress.operations > before + 20 }
            let report = await workload.stop()
            print("\(binaries), abort: \(report)")
            #expect(report.errorCount == 0, "\(report)")
            let found = try await workload.verify(on: database.options, canonical: .before)
            #expect(found.isEmpty, "seed \(report.seed): \(found.prefix(5))")
            await stage.close()
        }

        private func abort(at moment: Moment, isAlive: Bool, _ stage: Stage) async throws {
            let running = try await stage.bring(to: moment)
            if !isAlive {
                running.cancel()
                _ = await running.failure()
            }
            let start = ContinuousClock.now
            try await Abort(connections: stage.database.options, log: running.log.logger()).run("orders")
            print("abort while \(moment), \(isAlive ? "alive" : "dead"): \(ContinuousClock.now - start)")
            if isAlive {
                let error = await running.failure() as? MigrationError
                #expect(
                    error?.code == .aborted, "\(moment): \(String(describing: error)), \(running.log.all.suffix(5))")
            }
            try await Remains(session: stage.session).expectNothing()
            try await stage.clear()
        }
    }
}

/// Brings a migration to a moment, and holds it there.
private struct Stage: Sendable {
    let database: TestDatabase
    let session: TestSession
    /// Whoever is in the way.
    private let other: TestSession
    private let barrier: Barrier

    init(_ database: TestDatabase) async throws {
        self.database = database
        session = try await TestSession(database)
        other = try await TestSession(database, "somebody else")
        barrier = Barrier(session: try await TestSession(database, "barrier"))
    }

    private static let request = MigrationRequest("orders", "ALTER id TYPE bigint", name: "orders")

    /// So slow that it does not come to the end of a phase.
    private static var slow: MigrationOptions {
        var options = MigrationOptions.pageByPage
        options.niceRatio = 100
        return options
    }

    func bring(to moment: LiveMigrations.AbortTests.Moment) async throws -> RunningMigration {
        switch moment {
        case .capturing:
            // The slot waits for it.
            try await other.execute("BEGIN; SELECT txid_current()")
            let running = run(.quick)
            try await running.until("the slot is being made") {
                try await session.isTrue(
                    "EXISTS (SELECT FROM pg_replication_slots WHERE slot_name LIKE 'shadow_alter_%' AND database = current_database())"
                )
            }
            return running
        case .copying:
            let running = run(Self.slow)
            try await running.until("a row is copied") { running.migration.status.snapshot.rowsCopied > 0 }
            return running
        case .paused:
            let running = try await bring(to: .copying)
            try await Steer(connections: database.options).run(.pause, "orders")
            try await running.until("it is paused") { running.migration.status.snapshot.condition == .paused }
            return running
        case .throttled:
            var options = MigrationOptions.pageByPage
            options.throttleQuery = "SELECT 7"
            let running = run(options)
            try await running.until("it is throttled") { running.migration.status.snapshot.condition == .throttled }
            return running
        case .indexing:
            try await barrier.closeIndex()
            let running = run(.pageByPage)
            try await barrier.waitForIndex(running)
            return running
        case .catchingUp:
            // Verifying, more slowly than anybody waits.
            let running = try await bring(to: .indexing)
            _ = try await running.migration.control.steer(.set(.niceRatio, "100"))
            try await barrier.openIndex()
            try await running.until("it is catching up") { running.migration.status.snapshot.phase == .catchingUp }
            return running
        case .ready:
            let running = run(.quick.manual())
            try await running.untilReady(session)
            return running
        case .cuttingOver:
            try await other.execute("BEGIN; SELECT count(*) FROM orders")
            let running = run(.quick)
            try await running.until("the cut-over waits for somebody") {
                let snapshot = running.migration.status.snapshot
                return snapshot.phase == .cuttingOver && snapshot.reason?.contains("session \(other.pid) ") == true
            }
            return running
        }
    }

    private func run(_ options: MigrationOptions) -> RunningMigration {
        RunningMigration(Self.request, database, options)
    }

    /// Nobody is in the way any more.
    func clear() async throws {
        try await other.execute("ROLLBACK")
        try await barrier.session.execute("SELECT pg_advisory_unlock_all()")
    }

    func definition() async throws -> String {
        // What begins with a backslash is a word of chance.
        try await database.server.dump(database: database.name).split(separator: "\n").filter { !$0.hasPrefix("\\") }
            .joined(separator: "\n")
    }

    func close() async {
        await session.close()
        await other.close()
        await barrier.session.close()
    }
}
