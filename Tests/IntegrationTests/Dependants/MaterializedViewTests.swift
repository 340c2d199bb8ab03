import PgConnection
import Testing
import ThrowawayServer

@testable import ShadowAlter

extension LiveMigrations {
    /// Materialized views are built over the new table before the cut-over, and only moved in it.
    @Suite(.serialized, .timeLimit(.minutes(5))) struct MaterializedViewTests {
        private static let setup = """
            CREATE ROLE mv_owner; CREATE ROLE mv_reader; CREATE SCHEMA report AUTHORIZATION mv_owner;
            CREATE TABLE orders (id int PRIMARY KEY, customer int NOT NULL, amount numeric NOT NULL);
            INSERT INTO orders SELECT n, n % 7, n FROM generate_series(1, 3000) n;
            GRANT SELECT ON orders TO mv_owner;
            CREATE VIEW plain AS SELECT customer, amount FROM orders;
            CREATE MATERIALIZED VIEW report."To tals" (who, "how much") WITH (fillfactor = 60) AS
                SELECT customer, sum(amount) FROM orders GROUP BY customer WITH DATA;
            CREATE UNIQUE INDEX totals_who ON report."To tals" (who) WITH (fillfactor = 70);
            CREATE INDEX totals_much ON report."To tals" ((abs("how much")));
            ALTER MATERIALIZED VIEW report."To tals" CLUSTER ON totals_who;
            ALTER MATERIALIZED VIEW report."To tals" ALTER COLUMN who SET STATISTICS 17;
            ALTER MATERIALIZED VIEW report."To tals" ALTER COLUMN who SET (n_distinct = 7);
            CREATE STATISTICS report.totals_stat (ndistinct) ON who, "how much" FROM report."To tals";
            COMMENT ON MATERIALIZED VIEW report."To tals" IS 'it''s a total'; COMMENT ON COLUMN report."To tals".who IS 'who';
            COMMENT ON INDEX report.totals_much IS 'much';
            ALTER MATERIALIZED VIEW report."To tals" OWNER TO mv_owner; GRANT SELECT ON report."To tals" TO mv_reader;
            CREATE MATERIALIZED VIEW ids AS SELECT id FROM orders WHERE id % 1000 = 0;
            CREATE MATERIALIZED VIEW deeper AS SELECT max(id) AS top FROM ids;
            CREATE MATERIALIZED VIEW empty AS SELECT id FROM orders WITH NO DATA;
            CREATE MATERIALIZED VIEW through_view AS SELECT count(*) FROM plain;
            CREATE VIEW best AS SELECT * FROM report."To tals" ORDER BY 2 DESC LIMIT 1;
            ANALYZE;
            """
        private static let teardown = "DROP OWNED BY mv_owner, mv_reader CASCADE; DROP ROLE mv_owner, mv_reader"

        private func withDatabase(
            _ name: String, _ binaries: ServerBinaries, _ body: (TestDatabase) async throws -> Void
        ) async throws {
            let database = try await TestDatabase.create(name, on: binaries)
            try await database.psql(Self.setup)
            do {
                try await body(database)
            } catch {
                _ = try? await database.psql(Self.teardown)
                throw error
            }
            try await database.psql(Self.teardown)
        }

        @Test(arguments: try await Servers.outermost())
        func aRebuildLeavesNoDifference(_ binaries: ServerBinaries) async throws {
            try await withDatabase("mv_rebuild", binaries) { database in
                try await database.expectRebuildLeavesNoDifference("orders", name: "orders")
                let session = try await TestSession(database)
                #expect(try await session.column("SELECT concat_ws(' ', who, \"how much\") FROM best").count == 1)
                #expect(try await session.value("SELECT relispopulated FROM pg_class WHERE relname = 'empty'") == false)
                #expect(try await session.column("SELECT id::text FROM ids ORDER BY id") == ["1000", "2000", "3000"])
                await session.close()
            }
        }

        @Test(arguments: try await Servers.outermost())
        func theyFollowAChangeOfTypeWhileSomebodyReadsThem(_ binaries: ServerBinaries) async throws {
            try await withDatabase("mv_widen", binaries) { database in
                let session = try await TestSession(database)
                // What is only there since the plan was made is in a view that is built later.
                try await session.execute("INSERT INTO orders VALUES (5000, 1, 1)")
                let reader = Task {
                    let session = try await TestSession(database, "reader")
                    while !Task.isCancelled {
                        try await session.execute("SELECT count(*) FROM best, ids, deeper, through_view")
                        // The machine is the other tests' as well.
                        try? await Task.sleep(for: .milliseconds(5))
                    }
                    await session.close()
                }
                try await RunningMigration(
                    MigrationRequest("orders", "ALTER id TYPE bigint", name: "widen"), database
                ).summary()
                reader.cancel()
                try await reader.value
                #expect(try await session.column("SELECT pg_typeof(top)::text FROM deeper") == ["bigint"])
                #expect(try await session.column("SELECT top::text FROM deeper") == ["5000"])
                // They are alive: refreshed over the new table.
                try await session.execute("INSERT INTO orders VALUES (5000000000, 1, 1)")
                try await session.execute("REFRESH MATERIALIZED VIEW ids; REFRESH MATERIALIZED VIEW deeper")
                #expect(try await session.column("SELECT top::text FROM deeper") == ["5000000000"])
                await session.close()
                try await Finalize(connections: database.options).run("widen")
            }
        }

        /// What was built before the run ended is not built again, and is what comes into the place.
        @Test(arguments: try await Servers.outermost())
        func aContinuedRunBuildsOnlyWhatIsMissing(_ binaries: ServerBinaries) async throws {
            try await withDatabase("mv_continued", binaries) { database in
                let session = try await TestSession(database)
                let request = MigrationRequest("orders", "ALTER id TYPE bigint", name: "widen")
                let first = RunningMigration(request, database, .quick.manual())
                try await first.untilReady(session)
                first.cancel()
                _ = await first.failure()
                let files = """
                    SELECT c.relname || ' ' || c.oid FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace
                    WHERE c.relkind = 'm' AND n.nspname = 'widen_green' ORDER BY 1
                    """
                let built = try await session.column(files)
                #expect(built.count == 4, "\(built)")
                // As if it had ended between two of them: the ones above it are not there either.
                try await session.execute("DROP MATERIALIZED VIEW widen_green.empty")
                let second = RunningMigration(request, database, .quick.manual())
                // Its phase is the one of the run before.
                try await second.until("the missing one is there") { try await session.column(files).count == 4 }
                let continued = try await session.column(files)
                #expect(Set(built).subtracting(continued).count == 1 && continued.count == 4, "\(continued)")
                try await Steer(connections: database.options).run(.cutOver, "widen")
                try await second.summary()
                let live = try await session.column(
                    "SELECT relname || ' ' || oid FROM pg_class WHERE relkind = 'm' AND relname <> 'through_view' ORDER BY 1"
                )
                #expect(live == continued, "\(live)")
                try await Finalize(connections: database.options).run("widen")
                await session.close()
            }
        }

        @Test(arguments: try await Servers.outermost())
        func oneOverAViewThatIsMadeAnewIsRefused(_ binaries: ServerBinaries) async throws {
            try await withDatabase("mv_refused", binaries) { database in
                try await database.psql(
                    "CREATE VIEW keyed AS SELECT id FROM orders; CREATE MATERIALIZED VIEW late AS SELECT id FROM keyed")
                let before = try await DefinitionOracle(database: database).read()
                let failure = await RunningMigration(
                    MigrationRequest("orders", "ALTER id TYPE bigint", name: "widen"), database
                ).failure()
                let refused = try #require(failure as? Refused)
                #expect(refused.refusals.map(\.code) == ["materialized-view-not-possible"])
                #expect(refused.description.contains("materialized view public.late"))
                #expect(refused.description.contains("view public.keyed"))
                DefinitionOracle.expectSame(try await DefinitionOracle(database: database).read(), before, "refused")
            }
        }
    }
}
