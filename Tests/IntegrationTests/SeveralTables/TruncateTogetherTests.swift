import ShadowAlter
import Testing
import ThrowawayServer

extension LiveMigrations.SeveralTables {
    /// One event that empties two tables.
    @Suite(.serialized, .timeLimit(.minutes(5))) struct TruncateTogetherTests {
        private static let refill = """
            INSERT INTO account (id) SELECT n FROM generate_series(1, 50) n;
            SELECT book(n % 50 + 1, n) FROM generate_series(1, 70) n;
            """

        @Test(arguments: try await Servers.outermost())
        func twoTablesDuringTheCopy(_ binaries: ServerBinaries) async throws {
            let shop = try await Shop.create("several_truncate", on: binaries)
            let running = RunningMigration(Shop.gated("entry"), shop.database, .pageByPage)
            try await shop.barrier.waitForCopy(running)
            let other = try await TestSession(shop.database, "somebody else")
            async let truncated = other.execute("BEGIN; TRUNCATE account, entry; \(Self.refill) COMMIT")
            try await eventually("TRUNCATE waits for the chunk at the barrier") {
                try await shop.session.isTrue(
                    """
                    EXISTS (SELECT FROM pg_locks l JOIN pg_stat_activity a USING (pid) WHERE l.relation = 'entry'::regclass
                        AND l.mode = 'AccessExclusiveLock' AND NOT l.granted AND a.application_name = 'somebody else')
                    """)
            }
            try await shop.barrier.openCopy()
            _ = try await truncated
            try await running.summary()
            try await shop.expectExact()
            #expect(try await shop.session.value("SELECT count(*) FROM entry", as: Int.self) == 70)
            #expect(try await shop.session.value("SELECT count(*) FROM account", as: Int.self) == 50)
            await other.close()
            try await shop.finish()
        }

        @Test(arguments: try await Servers.outermost())
        func twoTablesWhileTheShadowsAreReady(_ binaries: ServerBinaries) async throws {
            let shop = try await Shop.create("several_truncate_ready", on: binaries)
            let running = RunningMigration(Shop.plain, shop.database, .quick.manual())
            try await running.untilReady(shop.session)
            try await shop.session.execute(
                "BEGIN; UPDATE account SET filler = 'gone'; INSERT INTO note VALUES (1, 1, 'x'); TRUNCATE account, entry, note; \(Self.refill) COMMIT"
            )
            try await running.until("the shadows follow") {
                try await shop.session.isTrue("(SELECT count(*) FROM shop_green.entry) = 70")
            }
            try await shop.session.execute("TRUNCATE entry, account RESTART IDENTITY")
            try await shop.session.execute("BEGIN; TRUNCATE entry, note; ROLLBACK")
            try await shop.session.execute(
                "INSERT INTO account (id) SELECT n FROM generate_series(1, 50) n; SELECT book(7, 3); INSERT INTO note VALUES (5, 1, 'left')"
            )
            try await Steer(connections: shop.database.options).run(.cutOver, "shop")
            try await running.summary()
            try await shop.expectExact()
            #expect(try await shop.session.column("SELECT id::text FROM entry") == ["1"])
            #expect(try await shop.session.column("SELECT body FROM note") == ["left"])
            try await shop.finish()
        }
    }
}
