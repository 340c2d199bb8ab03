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
            // Rows that take long to be made: each pass over them finds as many anew.
            try await items.session.execute(
                """
                CREATE FUNCTION slow(text) RETURNS text LANGUAGE sql VOLATILE AS
                    $$ SELECT CASE WHEN $1 LIKE 'slow %' THEN $1 || left(pg_sleep(0.005)::text, 0) ELSE $1 END $$
                """)
            let request = MigrationRequest("item", "ALTER id TYPE bigint, ALTER value TYPE text USING slow(value)")
            var options = MigrationOptions.quick.manual()
            options.verification = .off
            let running = RunningMigration(request, items.database, options)
            try await running.untilReady(items.session)
            let writer = Writer(try await TestSession(items.database, "writer"))
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

        /// Changes a hundred slow rows again and again.
        private final class Writer: Sendable {
            private let isStopped = EndFlag()
            private let task: Task<(any Error)?, Never>

            init(_ session: TestSession) {
                let isStopped = isStopped
                task = Task {
                    var round = 0
                    while !isStopped.isSet {
                        round += 1
                        do {
                            try await session.execute("UPDATE item SET value = 'slow \(round)' WHERE id <= 100")
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
