import LedgerWorkload
import PgConnection
import ShadowAlter
import Testing
import ThrowawayServer

extension LiveMigrations {
    /// The whole story under a load that writes down what the server has acknowledged: exchanged, followed, rolled back, exchanged again, final.
    @Suite(.serialized, .timeLimit(.minutes(20))) struct BlueGreenStoryTests {
        @Test(arguments: try await Servers.outermost())
        func theLoadNoticesNothing(_ binaries: ServerBinaries) async throws {
            let migrationCase = try #require(try MigrationCase.all().first { $0.name == "int-to-bigint-serial" })
            let database = try await TestDatabase.create("story", on: binaries)
            try await database.psql(try #require(migrationCase.sql(.setup)))
            let before = try await DefinitionOracle(database: database).read()
            let workload = try await Workload.start(
                table: migrationCase.table, options: database.options,
                settings: WorkloadSettings(
                    seed: try WorkloadSeed.choose(), clients: 3, rate: 100, rowsPerClient: 900, adoptedRows: 1500),
                announce: { print("\(binaries), blue-green: \($0)") })
            do {
                try await run(database, workload, before)
            } catch {
                await workload.stop()
                throw error
            }
            let report = await workload.stop()
            #expect(report.errorCount == 0, "\(binaries): \(report)")
            print("\(binaries), blue-green: \(report)")
            let session = try await TestSession(database)
            try await Remains(session: session).expectNothing()
            await session.close()
        }

        private func run(_ database: TestDatabase, _ workload: Workload, _ before: [String]) async throws {
            let request = MigrationRequest("public.orders", "ALTER COLUMN id TYPE bigint", strategy: .shadow)
            let steer = Steer(connections: database.options)

            let first = RunningMigration(request, database, .quick.manual().baking())
            try await exchange(first, database, workload, "forward")
            try await expectExact(workload, database, .after, "after the exchange")
            try await proceed(workload)
            let asked = MonotonicTime.now
            try await steer.run(.rollback, "orders")
            try await first.expectRolledBack()
            tell("back", first, workload, since: asked)
            try await expectExact(workload, database, .before, "after the rollback")
            try await DefinitionOracle.expectSame(
                DefinitionOracle(database: database).read(), before, "after the rollback")
            try await proceed(workload)

            let second = RunningMigration(request, database, .quick.manual().baking())
            try await exchange(second, database, workload, "forward again")
            try await proceed(workload)
            try await expectExact(workload, database, .after, "after the second exchange")
            try await Finalize(connections: database.options).run("orders")
            try await second.summary()
            try await proceed(workload)
            try await expectExact(workload, database, .after, "in the end")
        }

        private func exchange(
            _ running: RunningMigration, _ database: TestDatabase, _ workload: Workload, _ which: String
        ) async throws {
            let session = try await TestSession(database)
            try await running.untilReady(session)
            await session.close()
            let asked = MonotonicTime.now
            try await Steer(connections: database.options).run(.cutOver, "orders")
            try await running.until("the exchange") { running.migration.status.snapshot.phase == .baking }
            tell(which, running, workload, since: asked)
            try await running.untilReversible(database, "orders")
        }

        /// For people: what it was like depends on the machine.
        private func tell(
            _ which: String, _ running: RunningMigration, _ workload: Workload, since start: MonotonicTime
        ) {
            let wait = workload.report.longestWait(from: start, to: .now)
            let milliseconds = wait.map { Double($0.nanoseconds / 10_000) / 100 } ?? 2
            print("\(which): longest statement \(milliseconds) ms; \(running.exchanges.last ?? "")")
        }

        private func expectExact(
            _ workload: Workload, _ database: TestDatabase, _ side: MigrationSide, _ when: String
        ) async throws {
            let found = try await workload.verify(on: database.options, canonical: side)
            #expect(found.isEmpty, "\(when): \(found.count), \(found.prefix(5))")
        }

        private func proceed(_ workload: Workload) async throws {
            let start = workload.progress.operations
            try await eventually("the load goes on") {
                workload.progress.operations >= start + 300 || workload.progress.errors > 0
            }
        }
    }
}

extension RunningMigration {
    /// What the log says of the exchanges.
    fileprivate var exchanges: [String] { log.all.filter { $0.contains("exchanged, at attempt") } }
}
