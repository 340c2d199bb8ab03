import PgConnection
import ShadowAlter
import Synchronization
import Testing
import ThrowawayServer

extension LiveMigrations {
    /// What is waiting to be refreshed would take too long under the lock.
    @Suite(.serialized, .timeLimit(.minutes(5))) struct BehindTests {
        @Test(arguments: try await Servers.outermost())
        func noLockIsAskedForBeforeItHasCaughtUp(_ binaries: ServerBinaries) async throws {
            let items = try await Items.create("behind", on: binaries)
            // Each pass over them finds as many anew.
            let request = try await Self.slowRows(items, milliseconds: 5)
            var options = MigrationOptions.quick.manual()
            options.verification = .off
            let running = RunningMigration(request, items.database, options)
            try await running.untilReady(items.session)
            let writer = Writer(try await TestSession(items.database, "writer"), rows: 100)
            try await Steer(connections: items.database.options).run(.cutOver, "item")
            try await running.until("no lock is asked for") {
                running.log.contains("changes had come since the last pass; no lock was asked for")
            }
            #expect(running.migration.status.snapshot.cutOver.lastError?.contains("behind") == true)
            #expect(await writer.stop() == nil)
            try await running.summary()
            try await items.expectExact()
            try await items.session.execute("DROP FUNCTION slow")
            try await items.finish()
        }

        /// A few rows that are changed without a pause fill the spool with their keys for as long as a pass takes, whose work they are only once:
        /// the catching up is not endless for it.
        @Test(arguments: try await Servers.outermost())
        func hotRowsDoNotKeepItFromGettingReady(_ binaries: ServerBinaries) async throws {
            let items = try await Items.create("behind_hot", on: binaries)
            let request = try await Self.slowRows(items, milliseconds: 10)
            let writer = Writer(try await TestSession(items.database, "writer"), rows: 120)
            let running = RunningMigration(request, items.database, Self.patient)
            var isBehind = false
            try await running.until("it is ready") {
                let snapshot = running.migration.status.snapshot
                isBehind = snapshot.reason?.contains("changed rows were behind") ?? false
                return isBehind || snapshot.phase == .ready
            }
            #expect(!isBehind)
            #expect(await writer.stop() == nil)
            try await Steer(connections: items.database.options).run(.cutOver, "item")
            try await running.summary()
            try await items.expectExact()
            try await items.session.execute("DROP FUNCTION slow")
            try await items.finish()
        }

        /// Nor is the cut-over behind for it.
        @Test(arguments: try await Servers.outermost())
        func hotRowsDoNotKeepItFromTheLock(_ binaries: ServerBinaries) async throws {
            let items = try await Items.create("behind_lock", on: binaries)
            let running = RunningMigration(
                try await Self.slowRows(items, milliseconds: 10), items.database, Self.patient)
            try await running.untilReady(items.session)
            let writer = Writer(try await TestSession(items.database, "writer"), rows: 40)
            try await Steer(connections: items.database.options).run(.cutOver, "item")
            let behind = "no lock was asked for"
            try await running.until("the tables are exchanged") {
                running.migration.status.snapshot.phase == .done || running.log.contains(behind)
            }
            #expect(await writer.stop() == nil)
            try await running.summary()
            #expect(!running.log.contains(behind), "\(running.log.all)")
            // The writer went on with the new table.
            let rows = ["item_blue.item", "item"].map { "SELECT id, value, filler FROM \($0) WHERE id > 40" }
            #expect(try await items.session.column("\(rows[0]) EXCEPT ALL \(rows[1])") == [])
            #expect(try await items.session.column("\(rows[1]) EXCEPT ALL \(rows[0])") == [])
            try await items.session.execute("DROP FUNCTION slow")
            try await items.finish()
        }

        /// Every pass over the slow rows takes more than a quarter of the budget, so that its duration never decides.
        private static var patient: MigrationOptions {
            var options = MigrationOptions.quick.manual()
            options.verification = .off
            options.cutOverBudget = .milliseconds(1_500)
            return options
        }

        /// Makes rows whose value begins with `slow ` take so long whenever they are copied or refreshed.
        private static func slowRows(_ items: Items, milliseconds: Int) async throws -> MigrationRequest {
            try await items.session.execute(
                """
                CREATE FUNCTION slow(text) RETURNS text LANGUAGE sql VOLATILE AS
                    $$ SELECT CASE WHEN $1 LIKE 'slow %' THEN $1 || left(pg_sleep(0.001 * \(milliseconds))::text, 0) ELSE $1 END $$
                """)
            return MigrationRequest("item", "ALTER id TYPE bigint, ALTER value TYPE text USING slow(value)")
        }

        /// Changes slow rows again and again.
        private final class Writer: Sendable {
            private let isStopped = EndFlag()
            private let task: Task<(any Error)?, Never>

            init(_ session: TestSession, rows: Int) {
                let isStopped = isStopped
                task = Task {
                    var round = 0
                    while !isStopped.isSet {
                        round += 1
                        do {
                            try await session.execute("UPDATE item SET value = 'slow \(round)' WHERE id <= \(rows)")
                            try await Task.sleep(for: .milliseconds(20))
                        } catch { return error }
                    }
                    await session.close()
                    return nil
                }
            }

            /// The error that it has met.
            func stop() async -> (any Error)? {
                isStopped.set()
                return await task.value
            }
        }
    }
}
