import LedgerWorkload
import PgConnection
import ShadowAlter
import Testing
import ThrowawayServer

extension LiveMigrations {
    /// A partitioned table with everything below it, forward and back.
    @Suite(.serialized, .timeLimit(.minutes(10))) struct RollbackTreeTests {
        private static let setup = """
            CREATE FUNCTION touch() RETURNS trigger LANGUAGE plpgsql AS 'BEGIN RETURN new; END';
            CREATE TABLE orders (n int GENERATED ALWAYS AS IDENTITY, s serial, \(PartitionedOrders.columns)) PARTITION BY RANGE (tenant);
            CREATE TABLE orders_low PARTITION OF orders FOR VALUES FROM (MINVALUE) TO (100);
            CREATE TABLE orders_mid PARTITION OF orders FOR VALUES FROM (100) TO (100050) PARTITION BY LIST (id);
            CREATE TABLE orders_mid_odd PARTITION OF orders_mid FOR VALUES IN (1, 3, 5, 7, 9);
            CREATE TABLE orders_mid_even PARTITION OF orders_mid DEFAULT;
            CREATE TABLE orders_rest PARTITION OF orders DEFAULT;
            CREATE INDEX orders_code ON orders (code);
            CREATE INDEX own ON orders_rest (amount) WHERE amount > 100;
            COMMENT ON TABLE orders_low IS 'low';
            CREATE TRIGGER touch BEFORE INSERT ON orders FOR EACH ROW EXECUTE FUNCTION touch();
            ALTER TABLE orders_low DISABLE TRIGGER touch;
            CREATE VIEW totals AS SELECT tenant, count(*), sum(amount) FROM orders GROUP BY tenant;
            \(PartitionedOrders.rows)
            CREATE TABLE items (id serial PRIMARY KEY, tenant int, order_id int,
                FOREIGN KEY (tenant, order_id) REFERENCES orders ON DELETE CASCADE ON UPDATE CASCADE);
            INSERT INTO items (tenant, order_id) SELECT tenant, id FROM orders ORDER BY tenant, id LIMIT 100;
            """

        @Test(arguments: try await Servers.outermost())
        func everyPartitionFollows(_ binaries: ServerBinaries) async throws {
            let database = try await TestDatabase.create("rollback_tree", on: binaries)
            try await database.psql(Self.setup)
            let before = try await DefinitionOracle(database: database).read()
            let load = try await PartitionLoad.start(database)
            do {
                let running = RunningMigration(
                    MigrationRequest("orders", "ALTER hits TYPE bigint, ADD extra int DEFAULT 7"), database,
                    MigrationOptions.quick.baking())
                try await running.untilReversible(database, "orders")
                try await load.proceed(300)
                let after = try await load.workload.verify(on: database.options, canonical: .after)
                #expect(after.isEmpty, "\(after.count), \(after.prefix(5))")
                try await Steer(connections: database.options).run(.rollback, "orders")
                try await running.expectRolledBack()
                try await load.proceed()
            } catch {
                await load.workload.stop()
                throw error
            }
            try await load.finish()
            try await DefinitionOracle.expectSame(DefinitionOracle(database: database).read(), before)
            let session = try await TestSession(database)
            try await Remains(session: session).expectNothing()
            await session.close()
        }

        /// A partition that is added to the new table has no counterpart that could follow it.
        @Test(arguments: try await Servers.outermost())
        func anotherPartitionClosesTheWayBack(_ binaries: ServerBinaries) async throws {
            let database = try await TestDatabase.create("rollback_partition", on: binaries)
            try await database.psql(
                """
                CREATE TABLE event (id int PRIMARY KEY, n int) PARTITION BY RANGE (id);
                CREATE TABLE event_1 PARTITION OF event FOR VALUES FROM (0) TO (1000);
                INSERT INTO event SELECT i, i FROM generate_series(1, 900) i;
                """)
            let session = try await TestSession(database)
            let running = RunningMigration(
                MigrationRequest("event", "ALTER n TYPE bigint"), database, MigrationOptions.quick.baking())
            try await running.untilReversible(database, "event")
            try await session.execute(
                "CREATE TABLE event_2 PARTITION OF event FOR VALUES FROM (1000) TO (2000); INSERT INTO event VALUES (1500, 1)"
            )
            let reader = StatusReader(connections: database.options)
            try await running.until("the new partition is noticed") {
                let status = try await reader.status(of: "event")
                return !status.rollbackPossible && status.message.contains("inheritance")
            }
            try await session.execute("DELETE FROM event WHERE id = 1500; DROP TABLE event_2")
            try await running.untilReversible(database, "event")
            try await Steer(connections: database.options).run(.rollback, "event")
            try await running.expectRolledBack()
            #expect(try await session.value("SELECT count(*) FROM event", as: Int.self) == 900)
            try await Remains(session: session).expectNothing()
            await session.close()
        }

        /// One partition alone would have to be read to be attached again.
        @Test(arguments: try await Servers.outermost())
        func aPartitionAloneIsRefused(_ binaries: ServerBinaries) async throws {
            let database = try await TestDatabase.create("rollback_leaf", on: binaries)
            try await database.psql(
                """
                CREATE TABLE event (id int PRIMARY KEY, n int) PARTITION BY RANGE (id);
                CREATE TABLE event_1 PARTITION OF event FOR VALUES FROM (0) TO (1000);
                """)
            let request = MigrationRequest("event_1", "SET (fillfactor = 70)")
            let refused = try #require(
                await RunningMigration(request, database, .quick.baking()).failure() as? Refused)
            #expect(refused.refusals.map(\.code) == ["no-way-back"], "\(refused)")
            let session = try await TestSession(database)
            try await Remains(session: session).expectNothing()
            await session.close()
        }
    }
}
