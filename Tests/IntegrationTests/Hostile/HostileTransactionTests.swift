import PgConnection
import ShadowAlter
import Testing
import ThrowawayServer

extension LiveMigrations {
    /// Transactions that last, that write everything, and that are prepared.
    @Suite(.serialized, .timeLimit(.minutes(5))) struct HostileTransactionTests {
        /// From the first chunk until the table is ready, writing every row, moving keys, and taking some of it back.
        @Test(arguments: try await Servers.outermost())
        func oneThatIsOpenAcrossTheWholeCopy(_ binaries: ServerBinaries) async throws {
            let items = try await Items.create("hostile_open", on: binaries)
            let running = RunningMigration(Items.gated, items.database, .pageByPage.manual())
            try await items.barrier.waitForCopy(running)
            let long = try await TestSession(items.database, "a long one")
            try await long.execute(
                """
                BEGIN; UPDATE item SET value = 'every row'; SAVEPOINT s; DELETE FROM item WHERE id > 4000; ROLLBACK TO s;
                UPDATE item SET id = id + 1000000 WHERE id % 10 = 0; INSERT INTO item VALUES (-1, 'new', '');
                """)
            try await items.barrier.openCopy()
            try await running.untilReady(items.session)
            #expect(
                try await items.session.isTrue("NOT EXISTS (SELECT FROM item_green.item WHERE value = 'every row')"))
            try await Steer(connections: items.database.options).run(.cutOver, "item")
            try await running.until("the cut-over waits for it") {
                running.migration.status.snapshot.reason?.contains("session \(long.pid) ") ?? false
            }
            try await long.execute("DELETE FROM item WHERE id = 17; COMMIT")
            try await running.summary()
            try await items.expectExact()
            #expect(
                try await items.session.isTrue(
                    "(SELECT count(*) FROM item WHERE value = 'every row') = \(Items.rows - 1)"))
            await long.close()
            try await items.finish()
        }

        /// Prepared before, committed after: it is waited for by its name, and what it wrote is there.
        @Test(arguments: try await Servers.outermost())
        func oneThatIsPrepared(_ binaries: ServerBinaries) async throws {
            let server = try await ThrowawayServer.start(binaries, settings: ["max_prepared_transactions": "5"])
            let items = try await Items.create("hostile_prepared", in: server)
            let preparer = try await TestSession(items.database, "preparer")
            let running = RunningMigration(Items.gated, items.database, .pageByPage.manual())
            try await items.barrier.waitForCopy(running)
            try await preparer.execute(
                "BEGIN; UPDATE item SET value = 'half done' WHERE id % 3 = 0; DELETE FROM item WHERE id = 1; PREPARE TRANSACTION 'during the copy'"
            )
            try await items.barrier.openCopy()
            try await running.untilReady(items.session)
            try await preparer.execute(
                "BEGIN; UPDATE item SET value = 'second' WHERE id % 3 = 1 AND id <> 1; PREPARE TRANSACTION 'while it was ready'"
            )
            try await Steer(connections: items.database.options).run(.cutOver, "item")
            for name in ["during the copy", "while it was ready"] {
                try await running.until("the cut-over waits for \(name)") {
                    try await StatusReader(connections: items.database.options).status(of: "item").blockers
                        .contains { $0.pid == nil && $0.state == name }
                }
                try await preparer.execute("COMMIT PREPARED '\(name)'")
            }
            try await running.summary()
            try await items.expectExact()
            #expect(
                try await items.session.isTrue(
                    "(SELECT count(*) FROM item WHERE value = 'half done') = \(Items.rows / 3)"))
            await preparer.close()
            try await items.finish()
            try await server.stop()
        }
    }
}
