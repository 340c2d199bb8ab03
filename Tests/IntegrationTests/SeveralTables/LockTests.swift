import ShadowAlter
import Testing
import ThrowawayServer

extension LiveMigrations.SeveralTables {
    /// The locks of several tables: all or none, and never at the application's cost.
    @Suite(.serialized, .timeLimit(.minutes(5))) struct LockTests {
        /// The first table's lock is granted, the second one's is not: nothing is changed, and the first table can be used.
        @Test(arguments: try await Servers.outermost())
        func aTimeoutOnTheSecondTableChangesNothing(_ binaries: ServerBinaries) async throws {
            let shop = try await Shop.create("several_timeout", on: binaries)
            var options = MigrationOptions.quick.manual()
            // An attempt is made although somebody holds a lock for less than this.
            options.lockTimeout = .seconds(4)
            options.cutOverBudget = .seconds(10)
            let running = RunningMigration(Shop.plain, shop.database, options)
            try await running.untilReady(shop.session)
            let holder = try await TestSession(shop.database, "holder")
            try await holder.execute("BEGIN; UPDATE entry SET amount = amount + 1 WHERE id = 1")
            try await Steer(connections: shop.database.options).run(.cutOver, "shop")
            try await running.until("an attempt has both waited for the second table and been given up") {
                running.migration.status.snapshot.cutOver.lastError?.contains("the lock was not granted") ?? false
            }
            try await shop.expectUnchanged()
            // With the holder still there: the first table is nobody's for good.
            try await shop.session.execute("UPDATE account SET balance = balance + 1 WHERE id = 2")
            try await shop.session.execute("UPDATE account SET balance = balance - 1 WHERE id = 2")
            try await holder.execute("UPDATE account SET balance = balance + 1 WHERE id = 2; COMMIT")
            let summary = try await running.summary()
            #expect(summary.cutOver.attempts >= 2)
            try await shop.expectExact()
            await holder.close()
            try await shop.finish()
        }

        /// A transaction that has written to the second table goes on to the first one while the cut-over holds the first and waits for the
        /// second. Whoever waits longest finds the deadlock and is ended: it must not be the application.
        @Test(arguments: try await Servers.outermost())
        func aCircleIsNotTheApplicationsToBreak(_ binaries: ServerBinaries) async throws {
            let shop = try await Shop.create("several_deadlock", on: binaries)
            try await shop.database.psql("ALTER DATABASE several_deadlock SET deadlock_timeout = '200ms'")
            var options = MigrationOptions.quick.manual()
            options.lockTimeout = .seconds(60)
            options.cutOverBudget = .seconds(60)
            let running = RunningMigration(Shop.plain, shop.database, options)
            try await running.untilReady(shop.session)
            let writer = try await TestSession(shop.database, "writer")
            try await writer.execute("BEGIN; UPDATE entry SET amount = amount + 7 WHERE id = 9")
            try await Steer(connections: shop.database.options).run(.cutOver, "shop")
            try await running.until("the cut-over waits for the second table") {
                try await shop.cutOverWaits(for: "entry")
            }
            // Later than deadlock_timeout after the cut-over began to wait: its own look for deadlocks, if it is still there, found none.
            try await writer.execute(
                "SELECT pg_sleep(0.5); UPDATE account SET balance = balance + 7 WHERE id = 10; COMMIT")
            try await running.summary()
            try await shop.expectExact()
            #expect(running.log.contains("the lock was not granted within 160 ms"))
            await writer.close()
            try await shop.finish()
        }

        /// PostgreSQL changes only catalogs: both tables in one transaction, under the same locks.
        @Test(arguments: try await Servers.outermost())
        func aNativeChangeOfSeveralTables(_ binaries: ServerBinaries) async throws {
            let shop = try await Shop.create("several_native", on: binaries)
            let script = "ALTER TABLE entry ADD COLUMN tag text; ALTER TABLE account RENAME filler TO padding;"
            let holder = try await TestSession(shop.database, "holder")
            try await holder.execute("BEGIN; SELECT count(*) FROM entry")
            let running = RunningMigration(Shop.request(script), shop.database)
            try await running.until("it waits, or has given up an attempt") {
                let snapshot = running.migration.status.snapshot
                return snapshot.reason?.contains("waiting") ?? false || snapshot.cutOver.lastError != nil
            }
            #expect(
                try await shop.session.isTrue(
                    "NOT EXISTS (SELECT FROM pg_attribute WHERE attname = 'padding' AND attrelid = 'account'::regclass)"
                ))
            try await holder.execute("COMMIT")
            let summary = try await running.summary()
            #expect(summary.strategy == .native && summary.oldTables.isEmpty)
            #expect(
                try await shop.session.column(
                    "SELECT attname FROM pg_attribute WHERE attname IN ('padding', 'tag') AND attnum > 0 ORDER BY 1")
                    == ["padding", "tag"])
            try await Remains(session: shop.session).expectNothing()
            await holder.close()
            await shop.close()
        }
    }
}
