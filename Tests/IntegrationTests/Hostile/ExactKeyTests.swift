import PgConnection
import Testing
import ThrowawayServer

@testable import ShadowAlter

extension LiveMigrations {
    /// Keys travel as text. A server's defaults may make it the text of another value: they round numbers, or name a time zone by letters that mean
    /// Israel's when they are read.
    @Suite(.serialized, .timeLimit(.minutes(5))) struct ExactKeyTests {
        private static func setup(_ name: String) -> String {
            """
            \(ExactDefinitionTests.defaults(name))
            CREATE TABLE item (ratio float8, at timestamptz, span interval, n int NOT NULL, value text, PRIMARY KEY (ratio, at, span))
                WITH (autovacuum_enabled = off);
            INSERT INTO item SELECT n / 3.0::float8, timestamptz '2026-03-04 05:06:07.089+00' + n * interval '7 hours',
                interval '-1 year 2 days -03:04:05.6' * n, n, repeat(md5(n::text), 10) FROM generate_series(1, 1000) n;
            """
        }

        @Test(arguments: try await Servers.outermost())
        func keysAreFoundWhateverTheServersDefaults(_ binaries: ServerBinaries) async throws {
            let database = try await TestDatabase.create("exact_keys", on: binaries)
            try await database.psql(Self.setup("exact_keys"))
            let session = try await TestSession(database)
            #expect(try await session.column("SELECT at FROM item WHERE n = 1") == ["04/03/2026 17:36:07.089 IST"])
            let running = RunningMigration(
                MigrationRequest("item", "ALTER n TYPE bigint"), database, .quick.manual())
            try await running.untilReady(session)
            try await session.execute(
                """
                UPDATE item SET value = 'written' WHERE n % 3 = 1;
                DELETE FROM item WHERE n % 30 = 2;
                UPDATE item SET ratio = ratio + 1e-12 WHERE n % 30 = 5;
                INSERT INTO item SELECT ratio, at, span + interval '0.000001 seconds', -n, 'new' FROM item WHERE n % 30 = 9;
                """)
            try await Steer(connections: database.options).run(.cutOver, "item")
            try await running.summary()
            let wrong = try await session.column(
                """
                SELECT format('%s %s', n, left(value, 10)) FROM (
                    (TABLE item_blue.item EXCEPT ALL SELECT ratio, at, span, n::int, value FROM item) UNION ALL
                    (SELECT ratio, at, span, n::int, value FROM item EXCEPT ALL TABLE item_blue.item)) difference ORDER BY n LIMIT 5
                """)
            #expect(wrong.isEmpty)
            try await Finalize(connections: database.options).run("item")
            try await Remains(session: session).expectNothing()
            await session.close()
        }

        /// What is in a spool that is made small passes through our memory.
        @Test(arguments: try await Servers.outermost())
        func aSpoolThatIsMadeSmallKeepsItsKeys(_ binaries: ServerBinaries) async throws {
            let database = try await TestDatabase.create("exact_spool", on: binaries)
            try await database.psql(
                """
                \(Self.setup("exact_spool"))
                CREATE TABLE spool (seq bigint, xid xid8, shadow_alter_k1 float8, shadow_alter_k2 timestamptz, shadow_alter_k3 interval,
                    shadow_alter_k4 text) WITH (autovacuum_enabled = off);
                """)
            let session = try await TestSession(database)
            try await session.execute(
                """
                INSERT INTO spool SELECT n, '7'::xid8, ratio, at, span, E'"\\\\,({' || value FROM item, generate_series(1, 100);
                DELETE FROM spool WHERE seq % 50 > 0; CREATE TABLE expected AS TABLE spool;
                """)
            let connection = try await PgConnection.connect(database.options, for: .refresh)
            let renewal = SpoolRenewal(spool: QualifiedName(schema: "public", name: "spool"))
            #expect(try await renewal.run(on: connection))
            #expect(
                try await session.isTrue(
                    "NOT EXISTS ((TABLE spool EXCEPT ALL TABLE expected) UNION ALL (TABLE expected EXCEPT ALL TABLE spool))"
                ))
            #expect(try await session.isTrue("(SELECT count(*) FROM spool) = 2000"))
            #expect(try await session.isTrue("pg_relation_size('spool') < \(SpoolRenewal.size)"))
            // Nothing of it is left in the session.
            #expect(try await connection.run { try $0.execute("SHOW DateStyle").single().value() } == "SQL, DMY")
            // Now it is small, and left alone.
            #expect(try await !renewal.run(on: connection))
            await connection.close()
            await session.close()
        }
    }
}
