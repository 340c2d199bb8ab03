import PgConnection
import ShadowAlter
import Testing
import ThrowawayServer

extension LiveMigrations {
    /// A request for the lock that others begin to wait behind is taken back, long before `lock_timeout`.
    @Suite(.serialized, .timeLimit(.minutes(5))) struct QueueWatchTests {
        /// Neither the reader nor anything else that happens in here waits for as long.
        private static let veryLong = Duration.seconds(1_000)

        @Test(arguments: try await Servers.outermost())
        func aReaderDoesNotWaitForTheLockTimeout(_ binaries: ServerBinaries) async throws {
            let items = try await Items.create("queue_reader", on: binaries)
            var options = MigrationOptions.quick.manual()
            // What is younger than this counts as about to end, so that the request is made.
            options.lockTimeout = Self.veryLong
            options.cutOverBudget = Self.veryLong
            let running = RunningMigration(Items.plain, items.database, options)
            try await running.untilReady(items.session)
            let writer = try await TestSession(items.database, "writer")
            try await writer.execute("BEGIN; UPDATE item SET value = 'for long' WHERE id = 1")
            try await Steer(connections: items.database.options).run(.cutOver, "item")
            try await running.until("the request waits") {
                try await items.waitsForAccessExclusive(items.session, applicationName: "shadow-alter cut-over")
            }
            // The writer goes on, so that only the request's end lets the reader through.
            let reader = try await TestSession(items.database, "reader")
            #expect(try await reader.value("SELECT count(*) FROM item", as: Int.self) == Items.rows)
            try await running.until("the attempt was given up") {
                running.migration.status.snapshot.cutOver.lastError?.contains("began to wait behind") == true
            }
            try await writer.execute("COMMIT")
            try await running.summary()
            await writer.close()
            await reader.close()
            try await items.expectExact()
            try await items.finish()
        }

        /// The same for a change that PostgreSQL makes in its catalogs.
        @Test(arguments: try await Servers.outermost())
        func aNativeChangeDoesNotKeepOthersEither(_ binaries: ServerBinaries) async throws {
            let items = try await Items.create("queue_native", on: binaries)
            var options = MigrationOptions()
            options.lockTimeout = Self.veryLong
            options.cutOverBudget = Self.veryLong
            let writer = try await TestSession(items.database, "writer")
            try await writer.execute("BEGIN; UPDATE item SET value = 'for long' WHERE id = 1")
            let running = RunningMigration(
                MigrationRequest("item", "ADD COLUMN note text", strategy: .auto), items.database, options)
            try await running.until("the request waits") {
                try await items.waitsForAccessExclusive(items.session, applicationName: "shadow-alter cut-over")
            }
            let reader = try await TestSession(items.database, "reader")
            #expect(try await reader.value("SELECT count(*) FROM item", as: Int.self) == Items.rows)
            try await running.until("the attempt was given up") {
                running.log.contains("began to wait behind")
            }
            try await writer.execute("COMMIT")
            try await running.summary()
            #expect(try await items.session.isTrue("(SELECT count(note) FROM item) = 0"))
            await writer.close()
            await reader.close()
            await items.close()
        }
    }
}
