import PgConnection
import ShadowAlter
import Testing
import ThrowawayServer

extension LiveMigrations {
    /// Definitions are read as text, too, and made anew of it. What a server's defaults make of a constant must not become another constant.
    @Suite(.serialized, .timeLimit(.minutes(10))) struct ExactDefinitionTests {
        /// Prints India's time as IST, which is read as Israel's.
        static func defaults(_ name: String) -> String {
            """
            ALTER DATABASE \(name) SET extra_float_digits = 0;
            ALTER DATABASE \(name) SET DateStyle = 'SQL, DMY';
            ALTER DATABASE \(name) SET TimeZone = 'Asia/Kolkata';
            ALTER DATABASE \(name) SET IntervalStyle = 'sql_standard';
            """
        }

        private static let moment = "timestamptz '2026-01-02 03:04:05+00'"
        private static let number = "float8 '0.30000000000000004'"

        private static let item = """
            CREATE TABLE item (id int PRIMARY KEY, ratio float8 DEFAULT \(number), at timestamptz NOT NULL DEFAULT \(moment),
                day date CHECK (day > '2026-03-04'), span interval DEFAULT '-1 year 2 days -03:04:05.6', written text DEFAULT \(moment)::text,
                twice float8 GENERATED ALWAYS AS (ratio * \(number)) STORED, CHECK (at > '2020-03-04 05:06:07+00'), CHECK (ratio <> \(number) + 1));
            INSERT INTO item (id) SELECT n FROM generate_series(1, 500) n;
            CREATE INDEX item_partial ON item (ratio) WHERE at > \(moment) AND ratio > \(number);
            CREATE UNIQUE INDEX item_unique ON item (day, id) WHERE at > \(moment);
            CREATE INDEX item_expression ON item ((ratio + \(number)));
            CREATE STATISTICS item_statistics ON (ratio + \(number)), day FROM item;
            ALTER TABLE item ENABLE ROW LEVEL SECURITY;
            CREATE POLICY recent ON item USING (at > \(moment) AND ratio < \(number)) WITH CHECK (at > \(moment));
            CREATE VIEW recent AS SELECT id, ratio FROM item WHERE at > \(moment) AND ratio < \(number) AND span > '-1 year 2 days -03:04:05.6';
            CREATE RULE nothing AS ON DELETE TO recent WHERE old.ratio = \(number) DO ALSO NOTHING;
            CREATE MATERIALIZED VIEW texts AS SELECT id, at::text AS at, span::text AS span, \(moment) AS moment FROM item;
            CREATE FUNCTION pass() RETURNS trigger LANGUAGE plpgsql AS 'BEGIN RETURN new; END';
            CREATE TRIGGER late BEFORE INSERT ON item FOR EACH ROW WHEN (new.at > \(moment) AND new.ratio > \(number)) EXECUTE FUNCTION pass();
            CREATE FUNCTION since() RETURNS bigint LANGUAGE sql BEGIN ATOMIC SELECT count(*) FROM item WHERE at > \(moment); END;
            """

        private static let tree = """
            CREATE TABLE part (id int, at timestamptz NOT NULL, value text, PRIMARY KEY (id, at)) PARTITION BY RANGE (at);
            CREATE TABLE part_1 PARTITION OF part FOR VALUES FROM ('2026-01-01 00:00:00+00') TO ('2026-02-01 00:00:00+00');
            CREATE TABLE part_2 PARTITION OF part FOR VALUES FROM ('2026-02-01 00:00:00+00') TO ('2026-03-01 00:00:00+00');
            INSERT INTO part SELECT n, timestamptz '2026-01-01 00:00:00+00' + n * interval '1 hour', 'value' FROM generate_series(0, 1000) n;
            """

        private func create(_ name: String, on binaries: ServerBinaries, _ setup: String) async throws -> TestDatabase {
            let database = try await TestDatabase.create(name, on: binaries)
            try await database.psql(Self.defaults(name))
            try await database.psql(setup)
            try await database.psql("ANALYZE")
            return database
        }

        private func expectNoDifference(
            _ before: SchemaDescription, _ database: TestDatabase, sourceLocation: SourceLocation = #_sourceLocation
        ) async throws {
            let found = before.differences(to: try await SchemaOracle(database: database).describe())
            #expect(found.isEmpty, "\(found.report)", sourceLocation: sourceLocation)
        }

        @Test(arguments: try await Servers.outermost())
        func aTableAndWhatHangsOnIt(_ binaries: ServerBinaries) async throws {
            let database = try await create("exact_table", on: binaries, Self.item)
            let before = try await SchemaOracle(database: database).describe()
            let summary = try await RunningMigration(MigrationRequest("item", ""), database).summary()
            #expect(summary.verify.mismatches == 0)
            try await Finalize(connections: database.options).run("item")
            try await expectNoDifference(before, database)
        }

        @Test(arguments: try await Servers.outermost())
        func thereAndBack(_ binaries: ServerBinaries) async throws {
            let database = try await create("exact_back", on: binaries, Self.item)
            let before = try await SchemaOracle(database: database).describe()
            let running = RunningMigration(
                MigrationRequest("item", "ALTER id TYPE bigint"), database, MigrationOptions.quick.baking())
            try await running.untilReversible(database, "item")
            try await Steer(connections: database.options).run(.rollback, "item")
            try await running.expectRolledBack()
            try await expectNoDifference(before, database)
        }

        @Test(arguments: try await Servers.outermost())
        func partitions(_ binaries: ServerBinaries) async throws {
            let database = try await create("exact_tree", on: binaries, Self.tree)
            let before = DumpFacts.parse(try await database.server.dump(database: database.name))
            for table in ["part", "part_2"] {
                try await RunningMigration(MigrationRequest(table, ""), database).summary()
                try await Finalize(connections: database.options).run(table)
                let found = before.differences(
                    to: DumpFacts.parse(try await database.server.dump(database: database.name)))
                #expect(found.isEmpty, "\(found.report)")
            }
        }

        /// What is evaluated is evaluated as the application would do it; what stands in the change is what was meant.
        @Test(arguments: try await Servers.outermost())
        func expressionsOfTheChange(_ binaries: ServerBinaries) async throws {
            let database = try await create(
                "exact_change", on: binaries,
                """
                CREATE TABLE item (id int PRIMARY KEY, at timestamptz, ratio float8);
                INSERT INTO item SELECT n, CASE WHEN n % 2 = 0 THEN \(Self.moment) + n * interval '1 hour' END, n / 3.0 FROM generate_series(1, 500) n;
                """)
            let change = """
                ALTER at TYPE text USING coalesce(at, \(Self.moment))::text, ALTER ratio TYPE text USING (ratio + \(Self.number))::text,
                ADD written text DEFAULT \(Self.moment)::text, ADD day date DEFAULT '03/04/2026', ADD moment timestamptz DEFAULT \(Self.moment)
                """
            let twin = try await create("exact_twin", on: binaries, "SELECT")
            try await twin.psql(
                """
                CREATE TABLE item (id int PRIMARY KEY, at timestamptz, ratio float8);
                INSERT INTO item SELECT n, CASE WHEN n % 2 = 0 THEN \(Self.moment) + n * interval '1 hour' END, n / 3.0 FROM generate_series(1, 500) n;
                """)
            try await twin.psql("ALTER TABLE item \(change)")
            try await twin.psql("ANALYZE")
            let running = RunningMigration(MigrationRequest("item", change), database, .quick.manual())
            let session = try await TestSession(database)
            try await running.untilReady(session)
            // Some of the rows by the copy, some by the refresh, and some perhaps under the lock.
            try await session.execute("UPDATE item SET id = id WHERE id % 3 = 0")
            try await Steer(connections: database.options).run(.cutOver, "item")
            #expect(try await running.summary().verify.mismatches == 0)
            try await Finalize(connections: database.options).run("item")
            let native = try await SchemaOracle(database: twin).describe()
            try await expectNoDifference(native, database)
            await session.close()
        }

        /// An ordinary table becomes a partitioned one, whose bounds are such moments.
        @Test(arguments: try await Servers.outermost())
        func boundsOfTheChange(_ binaries: ServerBinaries) async throws {
            let database = try await create(
                "exact_bounds", on: binaries,
                """
                CREATE TABLE item (id int, at timestamptz, value text, PRIMARY KEY (id, at));
                INSERT INTO item SELECT n, timestamptz '2026-01-01 00:00:00+00' + n * interval '1 hour', 'value' FROM generate_series(0, 700) n;
                """)
            let script = """
                DROP TABLE item; CREATE TABLE item (id int, at timestamptz, value text, PRIMARY KEY (id, at)) PARTITION BY RANGE (at);
                CREATE TABLE item_1 PARTITION OF item FOR VALUES FROM ('2026-01-01 00:00:00+00') TO ('2026-01-20 00:00:00+00');
                CREATE TABLE item_2 PARTITION OF item FOR VALUES FROM ('2026-01-20 00:00:00+00') TO ('2026-03-01 00:00:00+00');
                """
            try await RunningMigration(
                MigrationRequest(change: .script(script), name: "item"), database
            ).summary()
            let session = try await TestSession(database)
            #expect(try await session.column("SELECT count(*) FROM item_1") == ["456"])
            #expect(
                try await session.isTrue(
                    "NOT EXISTS ((TABLE item EXCEPT TABLE item_blue.item) UNION ALL (TABLE item_blue.item EXCEPT TABLE item))"
                ))
            try await Finalize(connections: database.options).run("item")
            try await Remains(session: session).expectNothing()
            await session.close()
        }

        /// Nothing but catalogs is changed: the definitions that are compared under the lock are read as they were planned.
        @Test(arguments: try await Servers.outermost())
        func aNativeChange(_ binaries: ServerBinaries) async throws {
            let database = try await create("exact_native", on: binaries, Self.item)
            let change = "ADD more timestamptz DEFAULT \(Self.moment)"
            let request = MigrationRequest("item", change, strategy: .auto)
            let summary = try await RunningMigration(request, database).summary()
            #expect(summary.strategy == .native)
            let session = try await TestSession(database)
            #expect(try await session.column("SELECT DISTINCT more FROM item") == ["02/01/2026 08:34:05 IST"])
            await session.close()
        }
    }
}
