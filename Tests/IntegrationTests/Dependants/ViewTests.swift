import PgConnection
import Testing
import ThrowawayServer

@testable import ShadowAlter

extension LiveMigrations {
    /// Views come back as they were, or as they must be after the change.
    @Suite(.serialized, .timeLimit(.minutes(5))) struct ViewTests {
        @Test(arguments: try await Servers.outermost())
        func aRebuildLeavesNoDifference(_ binaries: ServerBinaries) async throws {
            let database = try await Gallery.create("view_rebuild", on: binaries)
            try await database.expectRebuildLeavesNoDifference("orders", name: "orders")
            let session = try await TestSession(database)
            try await Remains(session: session).expectNothing(besides: ["Re \"port", "api"])
            let rows: Int = try await session.value("SELECT count(*) FROM api.both")
            #expect(rows == 1900)
            await session.close()
        }

        /// PostgreSQL itself refuses to change the type of a column that a view uses; so the twin is made with the new type.
        @Test(arguments: try await Servers.outermost())
        func viewsFollowAChangeOfType(_ binaries: ServerBinaries) async throws {
            let database = try await Gallery.create("view_widen", on: binaries)
            let before = try await DefinitionOracle(database: database).read()
            try await RunningMigration(
                MigrationRequest("orders", "ALTER id TYPE bigint", name: "widen"), database
            ).summary()
            let session = try await TestSession(database)
            #expect(
                try await session.column(
                    """
                    SELECT a.attrelid::regclass || '.' || a.attname FROM pg_attribute a JOIN pg_class c ON c.oid = a.attrelid
                    WHERE c.relkind = 'v' AND a.attname IN ('id', 'n') AND a.atttypid <> 'bigint'::regtype AND c.relname <> 'unrelated'
                        AND c.relnamespace IN ('public'::regnamespace, 'api'::regnamespace, '"Re ""port"'::regnamespace) ORDER BY 1
                    """) == [])
            #expect(
                try await session.column("SELECT pg_typeof(ids)::text FROM \"Re \"\"port\".\"V i\" LIMIT 1") == [
                    "bigint[]"
                ])
            try await session.execute(
                """
                INSERT INTO api.orders (id) VALUES (5000000000); INSERT INTO grouped (id, customer) VALUES (5000000001, 3);
                INSERT INTO api.big_orders (id, total) VALUES (5000000002, 4);
                """)
            #expect(
                try await session.column(
                    "SELECT concat_ws(' ', id, customer, total, note) FROM api.orders WHERE id > 5000 ORDER BY id")
                    == ["5000000000 7 0.00 it's", "5000000001 3 0.00", "5000000002 4.00"])
            await session.close()
            try await Finalize(connections: database.options).run("widen")
            // The way back leaves the database as it was, but for what a text of a view says about types.
            try await RunningMigration(
                MigrationRequest("orders", "ALTER id TYPE int USING (id % 2147483647)::int", name: "narrow"), database
            ).summary()
            try await Finalize(connections: database.options).run("narrow")
            let after = try await DefinitionOracle(database: database).read()
            let isRow = { (line: String) in line.first?.isNumber == true }
            DefinitionOracle.expectSame(after.filter { !isRow($0) }, before.filter { !isRow($0) }, "there and back")
        }

        /// Reading and writing through the views goes on, and nobody sees an error.
        @Test(arguments: try await Servers.outermost(), ["", "ALTER id TYPE bigint"])
        func theApplicationSeesNothing(_ binaries: ServerBinaries, _ clauses: String) async throws {
            let database = try await Gallery.create("view_load", on: binaries)
            let hasEnded = EndFlag()
            let written = try await withThrowingTaskGroup(of: Int.self) { group in
                for query in ["api.both", "api.big_orders", "above_whole", "labelled", "of_totals", "over_function"] {
                    group.addTask {
                        let session = try await TestSession(database, "reader")
                        while !hasEnded.isSet {
                            let count: Int = try await session.value("SELECT count(*) FROM \(query)")
                            #expect(count > 0, "\(query)")
                            // Leaves the processor to what is tested.
                            try? await Task.sleep(for: .milliseconds(5))
                        }
                        await session.close()
                        return 0
                    }
                }
                for writer in 1...2 {
                    group.addTask {
                        let session = try await TestSession(database, "writer")
                        var count = 0
                        while !hasEnded.isSet {
                            count += 1
                            let view = count % 2 == 0 ? "api.orders" : "api.big_orders"
                            try await session.execute(
                                "INSERT INTO \(view) (id, total) VALUES (\(writer * 1_000_000 + count), 500)")
                            // A table that grew without end would make the readers slower and slower, and be waited for longer and longer.
                            try? await Task.sleep(for: .milliseconds(1))
                        }
                        await session.close()
                        return count
                    }
                }
                do {
                    try await RunningMigration(MigrationRequest("orders", clauses, name: "load"), database).summary()
                } catch {
                    hasEnded.set()
                    throw error
                }
                hasEnded.set()
                return try await group.reduce(0, +)
            }
            let session = try await TestSession(database)
            let found: Int = try await session.value("SELECT count(*) FROM api.orders WHERE id >= 1000000")
            #expect(found == written)
            await session.close()
        }

        /// Whoever writes to the relations while the plan is made is not waited for, nor has to wait.
        @Test(arguments: try await Servers.outermost())
        func thePlanLocksNobodyOut(_ binaries: ServerBinaries) async throws {
            let database = try await Gallery.create("view_plan", on: binaries)
            let writer = try await TestSession(database, "writer")
            try await writer.execute(
                """
                BEGIN; LOCK TABLE orders, customer, inbox, unrelated, whole, api.both, labelled, grouped, totals IN EXCLUSIVE MODE;
                """)
            let plan = try await Planning.dryRun(
                MigrationRequest("orders", "ALTER id TYPE bigint"), connections: database.options)
            func isMadeAnew(_ name: String) throws -> Bool {
                try !#require(plan.dependants.first { $0.name == name }, "\(plan.dependants.map(\.name))").remove
                    .isEmpty
            }
            #expect(try isMadeAnew("view api.orders"))
            #expect(try !isMadeAnew("view public.totals"))
            #expect(try isMadeAnew("view public.above_whole"))
            #expect(try !isMadeAnew("view public.sequence"))
            #expect(try isMadeAnew("function public.label(public.orders)"))
            #expect(try !isMadeAnew("function public.count_orders(c integer)"))
            #expect(!plan.dependants.contains { ["view public.of_totals", "view public.unrelated"].contains($0.name) })
            let locks = LockPlan(plan)
            let views = locks.views.map(\.relation.description)
            let outer = try #require(views.firstIndex(of: "api.both"))
            let middle = try #require(views.firstIndex(of: "api.big_orders"))
            let inner = try #require(views.firstIndex(of: "api.orders"))
            #expect(outer < middle && middle < inner)
            #expect(locks.tables.map(\.relation.name).sorted() == ["inbox", "orders"])
            let report = PlanReport(plan: plan).text
            #expect(report.contains("rule forward on public.inbox"), "\(report)")
            await writer.close()
        }

        @Test(
            arguments: try await Servers.outermost(),
            [
                "CREATE OR REPLACE VIEW checked AS SELECT id, total FROM orders",
                "ALTER VIEW api.big_orders RENAME TO biggest",
                "CREATE VIEW late AS SELECT id FROM orders", "GRANT SELECT ON whole TO PUBLIC",
                "DROP RULE forward ON inbox",
                "CREATE OR REPLACE FUNCTION count_orders(c int DEFAULT 1) RETURNS bigint LANGUAGE sql RETURN 0",
                "COMMENT ON FUNCTION label(orders) IS 'late'", "ALTER VIEW whole ALTER id SET DEFAULT 1",
            ])
        func aChangeBySomebodyElseIsNoted(_ binaries: ServerBinaries, _ ddl: String) async throws {
            let database = try await Gallery.create("view_changed", on: binaries)
            let session = try await TestSession(database)
            let running = RunningMigration(MigrationRequest("orders", "", name: "noted"), database, .quick.manual())
            try await running.untilReady(session)
            try await session.execute(ddl)
            let changed = try await DefinitionOracle(database: database).read().filter { !$0.contains("noted_green") }
            try await Steer(connections: database.options).run(.cutOver, "noted")
            let error = try #require(await running.failure() as? MigrationError)
            #expect(error.code == .sourceChanged, "\(error)")
            try await Abort(connections: database.options, log: running.log.logger()).run("noted")
            let after = try await DefinitionOracle(database: database).read()
            #expect(after.contains { $0.contains("CREATE VIEW api.orders") })
            #expect(Set(changed).isSuperset(of: after.filter { $0.hasPrefix("CREATE") }))
            await session.close()
        }
    }
}
