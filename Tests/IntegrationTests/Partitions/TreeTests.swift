import PgConnection
import ShadowAlter
import Testing
import ThrowawayServer

extension LiveMigrations {
    /// A partitioned table with everything below it, exchanged in one migration.
    @Suite(.serialized, .timeLimit(.minutes(15))) struct PartitionTreeTests {
        struct Tree: Sendable, CustomTestStringConvertible {
            let testDescription: String
            let setup: String
            /// When the rows are there.
            var more = ""
            var clauses = ""
        }

        /// Three levels, partitions that differ from each other, a partition in another schema.
        private static let kitchen = """
            CREATE ROLE partition_owner; CREATE ROLE partition_reader;
            GRANT CREATE, USAGE ON SCHEMA public TO partition_owner;
            CREATE SCHEMA archive;
            CREATE FUNCTION touch() RETURNS trigger LANGUAGE plpgsql AS 'BEGIN RETURN new; END';
            CREATE TABLE kinds (id int PRIMARY KEY); INSERT INTO kinds VALUES (1);
            CREATE TABLE orders (n int GENERATED ALWAYS AS IDENTITY, s serial, gone int,
                kind int DEFAULT 1 CONSTRAINT orders_kind REFERENCES kinds DEFERRABLE INITIALLY DEFERRED,
                twice numeric GENERATED ALWAYS AS (amount * 2) STORED, \(PartitionedOrders.columns)) PARTITION BY RANGE (tenant);
            ALTER TABLE orders DROP COLUMN gone;
            CREATE TABLE orders_low PARTITION OF orders FOR VALUES FROM (MINVALUE) TO (100) WITH (fillfactor = 70);
            CREATE TABLE archive.orders_mid PARTITION OF orders FOR VALUES FROM (100) TO (100050) PARTITION BY LIST (id);
            CREATE TABLE orders_mid_odd PARTITION OF archive.orders_mid FOR VALUES IN (1, 3, 5, 7, 9);
            CREATE TABLE orders_mid_even (hits int NOT NULL DEFAULT 0, blob text, extra int, id int NOT NULL, tenant int NOT NULL, doc jsonb,
                n int NOT NULL, s int NOT NULL DEFAULT nextval('orders_s_seq'), kind int DEFAULT 1, code text DEFAULT 'own', amount numeric(12,2), note text,
                twice numeric GENERATED ALWAYS AS (amount * 2) STORED, UNIQUE (tenant, id, hits));
            ALTER TABLE orders_mid_even DROP COLUMN extra;
            ALTER TABLE archive.orders_mid ATTACH PARTITION orders_mid_even DEFAULT;
            CREATE TABLE orders_rest PARTITION OF orders DEFAULT;
            CREATE INDEX orders_code ON orders (code) WITH (fillfactor = 60);
            CREATE INDEX mid_note ON archive.orders_mid (lower(note));
            CREATE INDEX own ON orders_rest (amount) WHERE amount > 100;
            ALTER TABLE orders ADD CONSTRAINT amount CHECK (amount < 1e9);
            ALTER TABLE orders ADD CONSTRAINT later CHECK (amount < 1e8) NOT VALID;
            ALTER TABLE orders_low ADD CONSTRAINT low CHECK (tenant < 100);
            CREATE STATISTICS together ON tenant, id FROM orders;
            CREATE STATISTICS apart ON amount, hits FROM orders_low;
            ALTER TABLE orders ALTER code SET STATISTICS 300;
            ALTER TABLE orders_low ALTER code SET STATISTICS 30;
            COMMENT ON TABLE orders IS 'all of them'; COMMENT ON TABLE orders_low IS 'low';
            COMMENT ON INDEX orders_code IS 'the whole'; COMMENT ON INDEX orders_low_code_idx IS 'a part';
            COMMENT ON COLUMN orders.code IS 'the code'; COMMENT ON CONSTRAINT amount ON orders IS 'sane';
            GRANT SELECT ON orders TO partition_reader; GRANT SELECT (code) ON orders_low TO partition_reader;
            ALTER TABLE orders_rest OWNER TO partition_owner;
            CREATE TRIGGER touch BEFORE INSERT ON orders FOR EACH ROW EXECUTE FUNCTION touch();
            ALTER TABLE orders_low DISABLE TRIGGER touch; COMMENT ON TRIGGER touch ON orders_mid_odd IS 'inherited';
            CREATE TRIGGER own AFTER DELETE ON orders_rest FOR EACH ROW EXECUTE FUNCTION touch();
            CREATE TRIGGER whole AFTER UPDATE ON orders FOR EACH STATEMENT EXECUTE FUNCTION touch();
            CREATE VIEW totals AS SELECT tenant, count(*), sum(amount) FROM orders GROUP BY tenant;
            CREATE VIEW rests AS SELECT note, code FROM orders_rest;
            ALTER TABLE orders ENABLE ROW LEVEL SECURITY; CREATE POLICY mine ON orders USING (tenant > 0);
            CREATE POLICY low ON orders_low FOR SELECT TO partition_reader USING (amount > 0);
            """

        /// Foreign keys from the tree and to it.
        private static let references = """
            CREATE TABLE items (id serial PRIMARY KEY, tenant int, order_id int,
                FOREIGN KEY (tenant, order_id) REFERENCES orders ON DELETE CASCADE ON UPDATE CASCADE);
            INSERT INTO items (tenant, order_id) SELECT tenant, id FROM orders ORDER BY tenant, id LIMIT 100;
            """

        static let trees: [Tree] = [
            Tree(testDescription: "a rebuild of three levels", setup: kitchen, more: references),
            Tree(
                testDescription: "int to bigint on three levels", setup: kitchen, more: references,
                clauses:
                    "ALTER hits TYPE bigint, ALTER n TYPE bigint, ADD COLUMN more text DEFAULT 'x', DROP CONSTRAINT later"
            ),
            Tree(
                testDescription: "hash, with a key for each partition",
                setup: """
                    CREATE TABLE orders (tenant int, id int NOT NULL, amount numeric(12,2), note text, doc jsonb, code text, blob text,
                        hits integer NOT NULL DEFAULT 0, PRIMARY KEY (tenant, id)) PARTITION BY HASH (tenant);
                    CREATE TABLE orders_0 PARTITION OF orders FOR VALUES WITH (MODULUS 3, REMAINDER 0);
                    CREATE TABLE orders_1 PARTITION OF orders FOR VALUES WITH (MODULUS 3, REMAINDER 1);
                    CREATE TABLE orders_2 PARTITION OF orders FOR VALUES WITH (MODULUS 3, REMAINDER 2);
                    CREATE UNIQUE INDEX other ON orders_1 (id, tenant);
                    ALTER TABLE orders_1 REPLICA IDENTITY USING INDEX other;
                    ALTER TABLE orders_2 REPLICA IDENTITY FULL;
                    """,
                clauses: "ALTER note TYPE varchar(500), ADD UNIQUE (tenant, id, hits)"),
        ]

        @Test(arguments: try await Servers.outermost(), trees)
        func theLoadNoticesNothing(_ binaries: ServerBinaries, _ tree: Tree) async throws {
            let database = try await TestDatabase.create("tree", on: binaries)
            try await dropRoles(database)
            let setup = tree.setup + PartitionedOrders.rows + tree.more
            try await database.psql(setup + PartitionedOrders.noScans())
            let request = MigrationRequest("public.orders", tree.clauses)
            try await PartitionLoad.run(beside: request, database)
            try await database.psql(PartitionedOrders.noGuard)
            let twin = try await TestDatabase.create("tree_twin", on: binaries)
            try await twin.psql(
                setup.replacing("CREATE ROLE partition_owner; CREATE ROLE partition_reader;", with: ""))
            if !tree.clauses.isEmpty { try await twin.psql("ALTER TABLE orders \(tree.clauses)") }
            try await PartitionedOrders.expectSameDefinition(database, twin)
            let session = try await TestSession(database)
            #expect(
                try await session.isTrue("(SELECT count(*) > 0 FROM pg_stats WHERE tablename = 'orders' AND inherited)")
            )
            try await Finalize(connections: database.options).run("orders")
            let left = try await session.column(
                "SELECT nspname FROM pg_namespace WHERE nspname ~ '(_blue|_green|^shadow_alter)$'")
            #expect(left.isEmpty)
            await session.close()
            try await dropRoles(database, twin)
        }

        private func dropRoles(_ databases: TestDatabase...) async throws {
            for database in databases {
                try await database.psql(
                    """
                    DO $$ DECLARE r name; BEGIN
                        FOR r IN SELECT rolname FROM pg_roles WHERE rolname ~ '^partition_' LOOP
                            EXECUTE format('DROP OWNED BY %I CASCADE', r);
                        END LOOP;
                    END $$
                    """)
            }
            guard let last = databases.last else { return }
            for database in ["tree", "tree_twin"] where database != last.name {
                _ = try? await last.server.psql("DROP DATABASE IF EXISTS \(database) WITH (FORCE)")
            }
            try await last.psql("DROP ROLE IF EXISTS partition_owner; DROP ROLE IF EXISTS partition_reader")
        }

        /// A partition that comes or goes meanwhile is noticed before anything is exchanged.
        @Test(arguments: try await Servers.outermost())
        func partitionsMustStayTheSame(_ binaries: ServerBinaries) async throws {
            for interference in [
                "CREATE TABLE item_new PARTITION OF item FOR VALUES FROM (10000) TO (20000)",
                "ALTER TABLE item DETACH PARTITION item_high",
                "CREATE INDEX ON item_high (value)",
                "ALTER TABLE item SET (autovacuum_enabled)",
            ].dropLast() {
                let database = try await TestDatabase.create("tree_guard", on: binaries)
                try await database.psql(
                    """
                    CREATE TABLE item (id int PRIMARY KEY, value text) PARTITION BY RANGE (id);
                    CREATE TABLE item_low PARTITION OF item FOR VALUES FROM (0) TO (1000);
                    CREATE TABLE item_high PARTITION OF item FOR VALUES FROM (1000) TO (10000);
                    INSERT INTO item SELECT n, 'value ' || n FROM generate_series(1, 5000) n;
                    """)
                let session = try await TestSession(database)
                let running = RunningMigration(
                    MigrationRequest("item", "ALTER value TYPE varchar(99)"), database, .quick.manual())
                try await running.untilReady(session)
                try await session.execute(interference)
                try await Steer(connections: database.options).run(.cutOver, "item")
                let error = try #require(await running.failure() as? MigrationError, "\(interference)")
                #expect(error.code == .sourceChanged, "\(interference): \(error)")
                #expect(error.message.contains("item"), "\(error)")
                #expect(try await session.isTrue("(SELECT count(*) FROM item) >= 999"))
                try await Abort(connections: database.options, log: CapturedLog().logger()).run("item")
                await session.close()
            }
        }
    }
}
