import ShadowAlter
import Testing
import ThrowawayServer

extension LiveMigrations {
    /// The key may have other indexes than the one that the refresh finds its rows by.
    @Suite(.serialized, .timeLimit(.minutes(2))) struct KeyIndexTests {
        /// `ON CONFLICT` takes all unique indexes on its columns for its arbiters, and refuses a deferrable one.
        @Test(arguments: try await Servers.outermost())
        func aDeferrableConstraintOnTheKeysColumns(_ binaries: ServerBinaries) async throws {
            let database = try await TestDatabase.create("key_twice", on: binaries)
            let session = try await TestSession(database)
            try await session.execute(
                """
                CREATE TABLE pair (b int, a int, n int, PRIMARY KEY (a, b), UNIQUE (b, a) DEFERRABLE);
                INSERT INTO pair SELECT i, i % 7, i FROM generate_series(1, 100) i
                """)
            let running = RunningMigration(
                MigrationRequest("pair", "ALTER a TYPE bigint"), database, .quick.manual())
            try await running.untilReady(session)
            try await session.execute(
                """
                UPDATE pair SET n = -n WHERE b % 2 = 0; DELETE FROM pair WHERE b % 3 = 0; INSERT INTO pair VALUES (200, 1, 1);
                UPDATE pair SET b = b + 1000 WHERE b % 5 = 0; CREATE TABLE wanted AS TABLE pair
                """)
            try await running.until("the shadow has followed") {
                try await session.isTrue("NOT EXISTS (TABLE wanted EXCEPT SELECT b, a::int, n FROM pair_green.pair)")
            }
            try await Steer(connections: database.options).run(.cutOver, "pair")
            try await running.summary()
            #expect(
                try await session.isTrue(
                    """
                    NOT EXISTS ((TABLE wanted EXCEPT ALL SELECT b, a::int, n FROM pair)
                        UNION ALL (SELECT b, a::int, n FROM pair EXCEPT ALL TABLE wanted))
                    """))
            try await Finalize(connections: database.options).run("pair")
            try await Remains(session: session).expectNothing()
            await session.close()
        }
    }
}
