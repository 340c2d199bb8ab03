import LedgerWorkload
import PgConnection
import ShadowAlter
import Testing
import ThrowawayServer

extension LiveMigrations {
    /// Partitioned tables in publications: the root, its partitions, and an ordinary table that becomes partitioned.
    @Suite(.serialized, .timeLimit(.minutes(15))) struct PublicationPartitionTests {
        private static let tree = """
            CREATE TABLE orders (\(PartitionedOrders.columns)) PARTITION BY RANGE (tenant);
            CREATE TABLE orders_low PARTITION OF orders FOR VALUES FROM (MINVALUE) TO (150);
            CREATE TABLE orders_high PARTITION OF orders FOR VALUES FROM (150) TO (MAXVALUE);
            """

        /// By the root's name, and by the partitions' names.
        @Test(arguments: try await Servers.outermost(), ["orders", "orders_high"])
        func aTreeAndALeaf(_ binaries: ServerBinaries, _ migrated: String) async throws {
            let database = try await TestDatabase.create("published_tree", on: binaries)
            try await database.psql(
                """
                \(Self.tree) \(PartitionedOrders.rows)
                CREATE PUBLICATION by_root FOR TABLE orders WITH (publish_via_partition_root = true);
                CREATE PUBLICATION by_leaf FOR TABLE orders;
                -- Without the TOASTed column: PostgreSQL does not send it when an update of the key alone moves a row into the filter.
                CREATE PUBLICATION high FOR TABLE orders_high (tenant, id, note, hits) WHERE (tenant >= 100000);
                """)
            let before = try await DefinitionOracle(database: database).read()
            let whole = try await Subscriber.create(
                "sub_root", of: database, setup: "CREATE TABLE orders (\(PartitionedOrders.columns))")
            try await whole.subscribe(to: "by_root")
            let parts = try await Subscriber.create("sub_leaf", of: database, setup: Self.tree)
            try await parts.subscribe(to: "by_leaf")
            let high = try await Subscriber.create(
                "sub_high", of: database, setup: "CREATE TABLE orders_high (\(PartitionedOrders.columns))")
            try await high.subscribe(to: "high")
            let load = try await PartitionLoad.start(database)
            do {
                try await load.proceed()
                let summary = try await RunningMigration(
                    MigrationRequest(migrated, ""), database, .unhurried
                ).summary()
                #expect(summary.keysRefreshed > 0, "no row was changed during the migration")
                try await load.proceed()
            } catch {
                await load.workload.stop()
                throw error
            }
            try await load.finish()
            try await whole.expectSame("SELECT * FROM orders")
            try await parts.expectSame("SELECT tableoid::regclass, * FROM orders")
            try await high.expectSame(
                "SELECT tenant, id, note, hits FROM orders_high", filter: " WHERE tenant >= 100000")
            for subscriber in [whole, parts, high] {
                #expect(try await subscriber.errors() == 0)
                try await subscriber.end()
            }
            DefinitionOracle.expectSame(try await DefinitionOracle(database: database).read(), before)
            try await Finalize(connections: database.options).run(migrated)
        }

        /// Its subscribers go on with an ordinary table.
        @Test(arguments: try await Servers.outermost())
        func anOrdinaryTableBecomesPartitioned(_ binaries: ServerBinaries) async throws {
            let database = try await TestDatabase.create("published_parts", on: binaries)
            let table = "CREATE TABLE orders (\(PartitionedOrders.columns));"
            try await database.psql(
                """
                \(table) \(PartitionedOrders.rows)
                CREATE PUBLICATION p FOR TABLE orders (tenant, id, note, hits) WHERE (tenant > 10) WITH (publish_via_partition_root = true)
                """)
            let subscriber = try await Subscriber.create("sub_parts", of: database, setup: table)
            try await subscriber.subscribe(to: "p")
            let load = try await PartitionLoad.start(database)
            do {
                try await load.proceed()
                let request = MigrationRequest(change: .script("DROP TABLE orders; \(Self.tree)"))
                let summary = try await RunningMigration(request, database, .unhurried).summary()
                #expect(summary.keysRefreshed > 0, "no row was changed during the migration")
                try await load.proceed()
            } catch {
                await load.workload.stop()
                throw error
            }
            try await load.finish()
            try await subscriber.expectSame("SELECT tenant, id, note, hits FROM orders", filter: " WHERE tenant > 10")
            #expect(try await subscriber.errors() == 0)
            try await subscriber.end()
        }
    }
}
