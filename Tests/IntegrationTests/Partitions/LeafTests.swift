import PgConnection
import ShadowAlter
import Testing
import ThrowawayServer

extension LiveMigrations {
    /// One partition of a partitioned table is exchanged for a new one.
    @Suite(.serialized, .timeLimit(.minutes(10))) struct PartitionLeafTests {
        /// Beside each other: what a partition can be, and what it can have.
        struct Leaf: Sendable, CustomTestStringConvertible {
            let testDescription: String
            let setup: String
            let table: String
            var clauses = ""
            /// Which tables may be read under the lock.
            var readable: [String] = []
        }

        private static let trigger = """
            CREATE FUNCTION touch() RETURNS trigger LANGUAGE plpgsql AS 'BEGIN RETURN new; END';
            CREATE TRIGGER touch BEFORE INSERT ON orders FOR EACH ROW EXECUTE FUNCTION touch();
            CREATE TRIGGER other AFTER UPDATE ON orders FOR EACH ROW EXECUTE FUNCTION touch();
            """

        static let leaves: [Leaf] = [
            Leaf(
                testDescription: "range, beside a small default partition",
                setup: """
                    CREATE TABLE orders (\(PartitionedOrders.columns)) PARTITION BY RANGE (tenant);
                    CREATE TABLE orders_low PARTITION OF orders FOR VALUES FROM (MINVALUE) TO (100);
                    CREATE TABLE orders_mid (hits int NOT NULL, gone int, blob text, id int NOT NULL, tenant int NOT NULL, amount numeric(12,2),
                        note text DEFAULT 'mine', doc jsonb, code text, CONSTRAINT positive CHECK (id >= 0));
                    ALTER TABLE orders_mid DROP COLUMN gone;
                    ALTER TABLE orders ATTACH PARTITION orders_mid FOR VALUES FROM (100) TO (100050);
                    CREATE TABLE orders_rest PARTITION OF orders DEFAULT;
                    CREATE INDEX orders_code ON orders (code);
                    CREATE INDEX own ON orders_mid (lower(note)) WHERE amount > 100;
                    ALTER TABLE orders ADD CONSTRAINT amount CHECK (amount < 1e9);
                    \(trigger)
                    ALTER TABLE orders_mid DISABLE TRIGGER touch; ALTER TABLE orders_mid ENABLE ALWAYS TRIGGER other;
                    COMMENT ON TRIGGER other ON orders_mid IS 'only here';
                    COMMENT ON INDEX orders_mid_code_idx IS 'an inherited one';
                    """,
                table: "orders_mid",
                clauses: "SET (fillfactor = 70), ADD UNIQUE (id, tenant), ALTER note SET STATISTICS 200",
                readable: ["orders_rest"]),
            Leaf(
                testDescription: "range, beside a default partition with a proof",
                setup: """
                    CREATE TABLE orders (n bigint GENERATED ALWAYS AS IDENTITY, s serial, \(PartitionedOrders.columns)) PARTITION BY RANGE (tenant);
                    CREATE TABLE orders_low PARTITION OF orders FOR VALUES FROM (MINVALUE) TO (100);
                    CREATE TABLE orders_rest PARTITION OF orders DEFAULT;
                    ALTER TABLE orders_rest ADD CHECK (tenant >= 100);
                    """,
                table: "orders_low"),
            Leaf(
                testDescription: "the default partition",
                setup: """
                    CREATE TABLE orders (\(PartitionedOrders.columns)) PARTITION BY RANGE (tenant);
                    CREATE TABLE orders_low PARTITION OF orders FOR VALUES FROM (MINVALUE) TO (100);
                    CREATE TABLE orders_rest PARTITION OF orders DEFAULT WITH (autovacuum_vacuum_threshold = 1000);
                    """,
                table: "orders_rest"),
            Leaf(
                testDescription: "hash",
                setup: """
                    CREATE TABLE orders (\(PartitionedOrders.columns)) PARTITION BY HASH (tenant);
                    CREATE TABLE orders_0 PARTITION OF orders FOR VALUES WITH (MODULUS 2, REMAINDER 0);
                    CREATE TABLE orders_1 PARTITION OF orders FOR VALUES WITH (MODULUS 2, REMAINDER 1);
                    """,
                table: "orders_1"),
            Leaf(
                testDescription: "two levels below the root, in another schema than its parent",
                setup: """
                    CREATE SCHEMA archive;
                    CREATE TABLE orders (twice numeric GENERATED ALWAYS AS (amount * 2) STORED, \(PartitionedOrders.columns)) PARTITION BY RANGE (tenant);
                    CREATE TABLE orders_low PARTITION OF orders FOR VALUES FROM (MINVALUE) TO (100);
                    CREATE TABLE archive.orders PARTITION OF orders FOR VALUES FROM (100) TO (MAXVALUE) PARTITION BY LIST (id);
                    CREATE TABLE orders_high PARTITION OF archive.orders FOR VALUES IN (1, 3, 5, 7, 9);
                    CREATE TABLE orders_even PARTITION OF archive.orders DEFAULT;
                    CREATE INDEX orders_high_note_idx ON archive.orders (note);
                    \(trigger)
                    """,
                table: "orders_high", readable: ["orders_even"]),
        ]

        @Test(arguments: try await Servers.outermost(), leaves)
        func theLoadNoticesNothing(_ binaries: ServerBinaries, _ leaf: Leaf) async throws {
            let setup = leaf.setup + PartitionedOrders.rows
            let database = try await TestDatabase.create("leaf", on: binaries)
            try await database.psql(setup + PartitionedOrders.noScans(except: leaf.readable))
            let request = MigrationRequest("public.\(leaf.table)", leaf.clauses)
            try await PartitionLoad.run(beside: request, database)
            try await database.psql(PartitionedOrders.noGuard)
            let twin = try await TestDatabase.create("leaf_twin", on: binaries)
            try await twin.psql(setup)
            if !leaf.clauses.isEmpty { try await twin.psql("ALTER TABLE \(leaf.table) \(leaf.clauses)") }
            try await PartitionedOrders.expectSameDefinition(database, twin)
            let session = try await TestSession(database)
            #expect(
                try await session.isTrue(
                    "NOT (SELECT relispartition FROM pg_class WHERE oid = '\(leaf.table)_blue.\(leaf.table)'::regclass)"
                ))
            try await Finalize(connections: database.options).run(leaf.table)
            let left = try await session.column(
                "SELECT nspname FROM pg_namespace WHERE nspname ~ '(_blue|_green|^shadow_alter)$'")
            #expect(left.isEmpty)
            await session.close()
        }
    }
}
