import PgConnection
import ShadowAlter
import Testing
import ThrowawayServer

extension LiveMigrations {
    /// A truncation by the last transaction before the exchange, which the cut-over meets under its lock.
    @Suite(.serialized, .timeLimit(.minutes(5))) struct LateTruncateTests {
        @Test(arguments: try await Servers.outermost())
        func whileTheCutOverWaitsForItsLock(_ binaries: ServerBinaries) async throws {
            let items = try await Items.create("truncate_late", on: binaries)
            var options = MigrationOptions.quick.manual()
            options.lockTimeout = .seconds(100)
            options.cutOverBudget = .seconds(100)
            let running = RunningMigration(Items.plain, items.database, options)
            try await running.untilReady(items.session)
            let other = try await TestSession(items.database, "somebody else")
            try await other.execute("BEGIN; LOCK TABLE item IN ROW EXCLUSIVE MODE")
            try await Steer(connections: items.database.options).run(.cutOver, "item")
            try await running.until("the cut-over waits for its lock") {
                try await items.waitsForAccessExclusive(items.barrier.session, applicationName: "shadow-alter cut-over")
            }
            try await other.execute(
                """
                UPDATE item SET value = 'gone' WHERE id < 100; TRUNCATE item;
                INSERT INTO item SELECT n, 'second life', '' FROM generate_series(1, 60) n; COMMIT
                """)
            try await running.summary()
            try await items.expectExact()
            #expect(try await items.session.value("SELECT count(*) FROM item", as: Int.self) == 60)
            await other.close()
            try await items.finish()
        }
    }
}
