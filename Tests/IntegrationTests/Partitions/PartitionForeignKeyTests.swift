import PgConnection
import Testing
import ThrowawayServer

@testable import ShadowAlter

extension LiveMigrations {
    /// Foreign keys of trees and of tables that become trees: what a version cannot do under the lock without reading all rows is refused there.
    @Suite(.serialized, .timeLimit(.minutes(5))) struct PartitionForeignKeyTests {
        private static let divide = """
            DROP TABLE item;
            CREATE TABLE item (id int, day date NOT NULL, parent int, PRIMARY KEY (id, day), UNIQUE (day, id)) PARTITION BY RANGE (day);
            CREATE TABLE item_1 PARTITION OF item FOR VALUES FROM (MINVALUE) TO ('2025-01-15');
            CREATE TABLE item_rest PARTITION OF item DEFAULT;
            """
        private static let item = """
            CREATE TABLE other (id int PRIMARY KEY); INSERT INTO other SELECT generate_series(1, 100);
            CREATE TABLE item (id int PRIMARY KEY, day date NOT NULL, parent int, UNIQUE (id, day));
            INSERT INTO item SELECT n, '2025-01-01'::date + n / 100, n % 100 + 1 FROM generate_series(1, 3000) n;
            """

        /// On 18 the same is carried over.
        @Test(
            arguments: try await Servers.outermost(),
            [
                (
                    "a tree that refers to itself",
                    """
                    CREATE TABLE item (id int PRIMARY KEY, parent int REFERENCES item) PARTITION BY RANGE (id);
                    CREATE TABLE item_low PARTITION OF item FOR VALUES FROM (0) TO (1000);
                    CREATE TABLE item_high PARTITION OF item FOR VALUES FROM (1000) TO (10000);
                    INSERT INTO item SELECT n, nullif(n / 2, 0) FROM generate_series(1, 3000) n;
                    """, "", "item_parent_fkey of public.item belongs to a partitioned table and refers to it"
                ),
                (
                    "a not valid one of a table that is divided",
                    item + "ALTER TABLE item ADD CONSTRAINT later FOREIGN KEY (parent) REFERENCES other NOT VALID;",
                    divide, "later of public.item belongs to a partitioned table and is not valid"
                ),
            ])
        func beforePostgres18(
            _ binaries: ServerBinaries, _ example: (name: String, setup: String, script: String, says: String)
        ) async throws {
            let database = try await TestDatabase.create("partition_fk", on: binaries)
            try await database.psql(example.setup)
            let request =
                example.script.isEmpty
                ? MigrationRequest("item", "") : MigrationRequest(change: .script(example.script))
            guard binaries.majorVersion >= 18 else {
                let refusals = try await database.refusals(request)
                #expect(refusals.map(\.code) == ["foreign-key-partitioned"], "\(example.name)")
                #expect(refusals.first?.what.contains(example.says) == true, "\(refusals)")
                #expect(refusals.first?.fix.contains("upgrade to PostgreSQL 18") == true, "\(refusals)")
                return
            }
            let session = try await TestSession(database)
            let keys = """
                SELECT concat_ws(' ', conname, conrelid::regclass, confrelid::regclass, convalidated) FROM pg_constraint
                WHERE contype = 'f' AND conparentid = 0 AND connamespace = 'public'::regnamespace ORDER BY 1
                """
            let before = try await session.column(keys)
            try await RunningMigration(request, database).summary()
            #expect(try await session.column(keys) == before)
            // It is alive.
            await #expect(throws: PgError.self) {
                try await session.execute("UPDATE item SET parent = 77777 WHERE id = 5")
            }
            try await Finalize(connections: database.options).run("item")
            try await Remains(session: session).expectNothing()
            await session.close()
        }

        /// The key becomes longer, so that nothing makes `id` alone unique any more.
        @Test(arguments: try await Servers.outermost())
        func aForeignKeyToTheFormerKeyIsRefused(_ binaries: ServerBinaries) async throws {
            let database = try await TestDatabase.create("partition_fk_inbound", on: binaries)
            try await database.psql(
                Self.item + "CREATE TABLE line (item int REFERENCES item); INSERT INTO line VALUES (1);")
            let refusals = try await database.refusals(MigrationRequest(change: .script(Self.divide)))
            #expect(refusals.map(\.code) == ["foreign-key-not-possible"])
            #expect(refusals.first?.description.contains("line_item_fkey of public.line") == true, "\(refusals)")
            #expect(
                refusals.first?.description.contains("no unique constraint matching given keys") == true, "\(refusals)")
        }

        @Test(arguments: try await Servers.outermost())
        func aForeignKeyToTheLongerKeyIsCarriedOver(_ binaries: ServerBinaries) async throws {
            let database = try await TestDatabase.create("partition_fk_longer", on: binaries)
            try await database.psql(
                Self.item + """
                    CREATE TABLE line (n int PRIMARY KEY, item int, day date, CONSTRAINT of_item FOREIGN KEY (item, day) REFERENCES item (id, day)
                        ON DELETE CASCADE DEFERRABLE);
                    INSERT INTO line SELECT id, id, day FROM item WHERE id % 3 = 0; COMMENT ON CONSTRAINT of_item ON line IS 'inbound';
                    """)
            let session = try await TestSession(database)
            let key = """
                SELECT concat_ws(' ', confrelid::regclass, convalidated, pg_get_constraintdef(oid), obj_description(oid, 'pg_constraint'))
                FROM pg_constraint WHERE conname = 'of_item' AND conparentid = 0
                """
            let before = try await session.column(key)
            try await RunningMigration(MigrationRequest(change: .script(Self.divide)), database).summary()
            #expect(try await session.isTrue("(SELECT relkind = 'p' FROM pg_class WHERE oid = 'item'::regclass)"))
            #expect(try await session.column(key) == before)
            try await session.execute("DELETE FROM item WHERE id = 9")
            #expect(try await session.isTrue("NOT EXISTS (SELECT FROM line WHERE item = 9)"))
            await #expect(throws: PgError.self) {
                try await session.execute("INSERT INTO line VALUES (99999, 99999, '2025-01-01')")
            }
            try await Finalize(connections: database.options).run("item")
            try await Remains(session: session).expectNothing()
            await session.close()
        }
    }
}
