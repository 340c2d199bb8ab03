import LedgerWorkload
import PgConnection
import ShadowAlter
import Testing
import ThrowawayServer

extension LiveMigrations {
    /// Publications of all tables, and of all in a schema, when the operator lets them through.
    @Suite(.serialized, .timeLimit(.minutes(15))) struct WidePublicationTests {
        private static func request(_ clauses: String) -> MigrationRequest {
            MigrationRequest(
                change: .alter(table: "orders", clauses: clauses), strategy: .shadow,
                allowedPublications: ["Every thing"])
        }

        /// The advice is followed to the letter, and the subscriber has everything in the end.
        @Test(arguments: try await Servers.outermost())
        func ofAllTables(_ binaries: ServerBinaries) async throws {
            let database = try await TestDatabase.create("published_wide", on: binaries)
            let setup = try #require(try MigrationCase("rebuild").sql(.setup))
            try await database.psql(setup + "CREATE PUBLICATION \"Every thing\" FOR ALL TABLES")
            let subscriber = try await Subscriber.create(
                "sub_wide", of: database, setup: setup + "TRUNCATE orders; ALTER TABLE orders ALTER id TYPE bigint")
            try await subscriber.subscribe(to: "\"Every thing\"")
            let request = Self.request("ALTER id TYPE bigint")
            let plan = try await Planning.dryRun(request, connections: database.options)
            #expect(
                plan.subscribers.count == 2
                    && plan.subscribers[1].contains("pg_dump --schema-only -n \"orders_green\" -n \"shadow_alter\""))
            #expect(
                plan.dependants.map(\.name) == [
                    "publication \"Every thing\", which is FOR ALL TABLES, of public.orders"
                ])

            let load = try await PartitionLoad.start(database, MigrationCase("rebuild").table, weights: .mixed)
            do {
                try await load.proceed()
                let running = RunningMigration(request, database, .unhurried.manual())
                let session = try await TestSession(database)
                try await running.until("the tables are there") {
                    try await session.isTrue("to_regclass('orders_green.orders') IS NOT NULL")
                }
                try await eventually("the subscription stops") { try await subscriber.errors() > 0 }
                let dump = try await database.server.dump(
                    database: database.name, arguments: ["-n", "orders_green", "-n", "shadow_alter"])
                try await subscriber.database.psql(dump)
                try await running.untilReady(session)
                try await Steer(connections: database.options).run(.cutOver, "orders")
                let summary = try await running.summary()
                #expect(summary.keysRefreshed > 0, "no row was changed during the migration")
                await session.close()
                try await load.proceed()
            } catch {
                await load.workload.stop()
                throw error
            }
            try await load.finish()
            try await Finalize(connections: database.options).run("orders")
            try await subscriber.expectSame("SELECT * FROM orders")
            let strays = try await subscriber.database.psql(
                "SELECT count(*) FROM orders_green.orders; SELECT count(*) FROM shadow_alter.migration")
            #expect(strays.split(separator: "\n").allSatisfy { $0.trimmingPrefix { $0 == " " } == "0" }, "\(strays)")
            try await subscriber.end()
        }

        /// Nothing of the new table is sent before it is in the schema, and everything afterwards.
        @Test(arguments: try await Servers.outermost())
        func ofTheSchema(_ binaries: ServerBinaries) async throws {
            let database = try await TestDatabase.create("published_schema", on: binaries)
            let setup = try #require(try MigrationCase("rebuild").sql(.setup))
            try await database.psql(setup + "CREATE PUBLICATION \"Every thing\" FOR TABLES IN SCHEMA public")
            let subscriber = try await Subscriber.create("sub_schema", of: database, setup: setup + "TRUNCATE orders")
            try await subscriber.subscribe(to: "\"Every thing\"")
            let load = try await PartitionLoad.start(database, MigrationCase("rebuild").table, weights: .mixed)
            do {
                try await load.proceed()
                let summary = try await RunningMigration(Self.request(""), database, .unhurried).summary()
                #expect(summary.keysRefreshed > 0, "no row was changed during the migration")
                #expect(
                    summary.subscribers == [
                        "public.orders in the publication \"Every thing\": subscribers need not do anything"
                    ])
                try await load.proceed()
            } catch {
                await load.workload.stop()
                throw error
            }
            try await load.finish()
            try await subscriber.expectSame("SELECT * FROM orders")
            #expect(try await subscriber.errors() == 0)
            try await subscriber.end()
        }

        /// One that nobody has let through ends the migration before the exchange, and nothing is exchanged.
        @Test(arguments: try await Servers.outermost())
        func oneThatAppearsMeanwhile(_ binaries: ServerBinaries) async throws {
            let items = try await Items.create("published_later", on: binaries)
            let running = RunningMigration(Items.gated, items.database)
            try await items.barrier.waitForCopy(running)
            // The copy's last rows, the purge and the catching up are done under it.
            try await items.session.execute("CREATE PUBLICATION later FOR ALL TABLES")
            try await items.session.execute(
                "UPDATE item SET value = 'new' WHERE id % 100 = 0; DELETE FROM item WHERE id = 7")
            try await items.barrier.openCopy()
            let error = await running.failure() as? MigrationError
            #expect(error?.code == .sourceChanged, "\(String(describing: error))")
            #expect(error?.message.contains("publication later, which is FOR ALL TABLES, of public.item") == true)
            try await items.session.execute("DROP PUBLICATION later")
            try await RunningMigration(Items.gated, items.database).summary()
            try await items.expectExact()
            try await items.finish()
        }
    }
}
