import LedgerWorkload
import PgConnection
import ShadowAlter
import Testing
import ThrowawayServer

extension LiveMigrations {
    /// A published table is changed under load, and those who subscribe to it miss nothing and get nothing twice.
    @Suite(.serialized, .timeLimit(.minutes(15))) struct PublicationLoadTests {
        static let publications = """
            CREATE PUBLICATION "All of It" FOR TABLE orders, bystander;
            CREATE PUBLICATION narrow FOR TABLE orders (id, amount, "code") WHERE (id % 2 = 0);
            """

        @Test(arguments: try await Servers.outermost(), ["", "ALTER id TYPE bigint"])
        func subscribersMissNothing(_ binaries: ServerBinaries, _ clauses: String) async throws {
            let database = try await TestDatabase.create("published", on: binaries)
            let setup = try #require(try MigrationCase("int-to-bigint-identity").sql(.setup))
            try await database.psql(setup + "CREATE TABLE bystander (id int PRIMARY KEY); \(Self.publications)")
            let before = try await DefinitionOracle(database: database).read()
            let plan = try await Planning.dryRun(
                MigrationRequest("orders", clauses), connections: database.options)
            #expect(plan.subscribers.count == 2)
            if clauses.isEmpty {
                #expect(plan.subscribers.allSatisfy { $0.hasSuffix("subscribers need not do anything") })
            } else {
                #expect(plan.subscribers.allSatisfy { $0.contains("their column id must take bigint before") })
            }

            // As the advice says: their types are the new ones already.
            let everything = try await Subscriber.create("sub_all", of: database, setup: Self.copy(clauses))
            try await everything.subscribe(to: "\"All of It\"")
            let narrow = try await Subscriber.create(
                "sub_narrow", of: database,
                setup: "CREATE TABLE orders (id bigint PRIMARY KEY, amount numeric(12,2), code text)")
            try await narrow.subscribe(to: "narrow")

            let load = try await PartitionLoad.start(
                database,
                MigrationCase("int-to-bigint-identity", key: [KeyColumn("id", .sequence(updatable: true))])
                    .table, weights: .mixed)
            do {
                try await load.proceed()
                let summary = try await RunningMigration(
                    MigrationRequest("orders", clauses), database, .unhurried
                ).summary()
                #expect(summary.keysRefreshed > 0, "no row was changed during the migration")
                #expect(summary.subscribers == plan.subscribers)
                try await load.proceed()
            } catch {
                await load.workload.stop()
                throw error
            }
            try await load.finish()
            try await everything.expectSame("SELECT * FROM orders")
            try await narrow.expectSame("SELECT id, amount, code FROM orders", filter: " WHERE id % 2 = 0")
            for subscriber in [everything, narrow] {
                #expect(try await subscriber.errors() == 0)
                try await subscriber.end()
            }
            if clauses.isEmpty {
                DefinitionOracle.expectSame(try await DefinitionOracle(database: database).read(), before)
            }
            try await Finalize(connections: database.options).run("orders")
        }

        private static func copy(_ clauses: String) throws -> String {
            let setup = try #require(try MigrationCase("int-to-bigint-identity").sql(.setup))
            let tables = setup + "TRUNCATE orders; CREATE TABLE bystander (id int PRIMARY KEY);"
            return clauses.isEmpty ? tables : tables + "ALTER TABLE orders \(clauses)"
        }

        /// What the advice says of names: a subscription stops until its columns have them, and goes on by itself.
        @Test(arguments: try await Servers.outermost())
        func aSubscriptionGoesOnWhenItHasTheColumns(_ binaries: ServerBinaries) async throws {
            let database = try await TestDatabase.create("published_columns", on: binaries)
            let table = "CREATE TABLE item (id int PRIMARY KEY, value text, gone int DEFAULT 7);"
            try await database.psql(
                "\(table) INSERT INTO item SELECT n, 'value ' || n, n FROM generate_series(1, 1000) n; CREATE PUBLICATION p FOR TABLE item"
            )
            let subscriber = try await Subscriber.create("sub_columns", of: database, setup: table)
            try await subscriber.subscribe(to: "p")
            let request = MigrationRequest(
                "item", "ALTER id TYPE bigint, ADD added int DEFAULT 5, DROP gone", name: "columns")
            let plan = try await Planning.dryRun(request, connections: database.options)
            let advice = try #require(plan.subscribers.first)
            for words in [
                "item in the publication p:", "their column id must take bigint", "they need the column added integer",
                "their column gone gets no value",
            ] { #expect(advice.contains(words), "\(advice)") }
            try await RunningMigration(request, database).summary()
            try await database.psql(
                "INSERT INTO item VALUES (5000000000, 'large', 3); UPDATE item SET value = 'new' WHERE id = 7")
            try await eventually("the subscription stops") { try await subscriber.errors() > 0 }
            try await subscriber.database.psql(
                "ALTER TABLE item ALTER id TYPE bigint, ADD added int DEFAULT 5; ALTER TABLE item RENAME gone TO kept")
            try await subscriber.expectSame("SELECT id, value, added FROM item")
            let kept = try await subscriber.database.psql("SELECT kept FROM item WHERE id > 4000")
            #expect(kept.contains("7"))
            try await subscriber.end()
        }
    }
}
