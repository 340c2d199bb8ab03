import ShadowAlter
import Testing
import ThrowawayServer

extension LiveMigrations {
    /// TRUNCATE comes as one event for all rows. Rows that are inserted afterwards under old keys must survive it.
    @Suite(.serialized, .timeLimit(.minutes(5))) struct TruncateTests {
        private static let reinsert = "INSERT INTO item SELECT n, 'second life', '' FROM generate_series(1, 60) n"

        @Test(arguments: try await Servers.outermost())
        func duringTheCopy(_ binaries: ServerBinaries) async throws {
            let items = try await Items.create("truncate_copy", on: binaries)
            let running = RunningMigration(Items.gated, items.database, .pageByPage)
            try await items.barrier.waitForCopy(running)
            let other = try await TestSession(items.database, "somebody else")
            async let truncated = other.execute("TRUNCATE item; \(Self.reinsert)")
            try await eventually("TRUNCATE has its turn") {
                if try await items.waitsForAccessExclusive(items.barrier.session, applicationName: "somebody else") {
                    return true
                }
                // Not by looking into the table: one who asks for it now would queue behind a TRUNCATE that waits.
                return try await items.session.isTrue(
                    """
                    EXISTS (SELECT FROM pg_stat_activity WHERE datname = current_database()
                        AND application_name = 'somebody else' AND state = 'idle' AND query LIKE 'TRUNCATE item%')
                    """)
            }
            try await items.barrier.openCopy()
            _ = try await truncated
            try await running.summary()
            try await items.expectExact()
            #expect(try await items.session.value("SELECT count(*) FROM item", as: Int.self) == 60)
            await other.close()
            try await items.finish()
        }

        /// The copied file is not looked at any more: only the stream tells.
        @Test(arguments: try await Servers.outermost())
        func whileIndexesAreBuilt(_ binaries: ServerBinaries) async throws {
            let items = try await Items.create("truncate_index", on: binaries)
            try await items.session.execute("CREATE INDEX item_barrier ON item (index_barrier(id, 3000))")
            try await items.barrier.closeIndex()
            let running = RunningMigration(Items.plain, items.database)
            try await items.barrier.waitForIndex(running)
            try await items.session.execute("TRUNCATE item")
            try await items.session.execute(Self.reinsert)
            try await items.session.execute(
                "UPDATE item SET value = 'third life' WHERE id < 10; DELETE FROM item WHERE id = 60")
            try await items.barrier.openIndex()
            try await running.summary()
            try await items.expectExact()
            #expect(try await items.session.value("SELECT count(*) FROM item", as: Int.self) == 59)
            try await items.finish()
        }

        @Test(arguments: try await Servers.outermost())
        func whileTheShadowIsReady(_ binaries: ServerBinaries) async throws {
            let items = try await Items.create("truncate_ready", on: binaries)
            let running = RunningMigration(Items.plain, items.database, .quick.manual())
            try await running.untilReady(items.session)
            // In one transaction with what comes before and after it, and once more by itself.
            try await items.session.execute(
                "BEGIN; UPDATE item SET value = 'gone' WHERE id < 200; TRUNCATE item; \(Self.reinsert); COMMIT")
            try await running.until("the shadow follows") {
                try await items.session.isTrue("(SELECT count(*) FROM item_green.item) = 60")
            }
            try await items.session.execute("TRUNCATE item")
            try await items.session.execute(
                "INSERT INTO item SELECT n, 'third life', '' FROM generate_series(30, 90) n")
            try await items.session.execute("BEGIN; TRUNCATE item; ROLLBACK")
            try await Steer(connections: items.database.options).run(.cutOver, "item")
            try await running.summary()
            try await items.expectExact()
            #expect(try await items.session.value("SELECT count(*) FROM item", as: Int.self) == 61)
            try await items.finish()
        }
    }
}
