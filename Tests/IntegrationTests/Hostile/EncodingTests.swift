import PgConnection
import Testing
import ThrowawayServer

@testable import ShadowAlter

extension LiveMigrations {
    /// Databases that are not UTF-8: one that the server converts from, and one of which nobody knows what it is in.
    @Suite(.serialized, .timeLimit(.minutes(5))) struct EncodingTests {
        /// Bytes of a Latin text, in the database's own encoding.
        private static func text(_ bytes: String, _ encoding: String) -> String {
            "convert_from('\(bytes)'::bytea, '\(encoding)')"
        }

        private static func create(_ name: String, _ encoding: String, on binaries: ServerBinaries) async throws
            -> TestDatabase
        {
            let server = try await SharedServers.server(binaries)
            try await server.psql("DROP DATABASE IF EXISTS \(name) WITH (FORCE)")
            try await server.psql("CREATE DATABASE \(name) TEMPLATE template0 ENCODING '\(encoding)' LOCALE 'C'")
            return TestDatabase(server: server, name: name)
        }

        @Test(arguments: try await Servers.outermost(), ["LATIN1", "SQL_ASCII"])
        func keysAndValuesOfAnyBytes(_ binaries: ServerBinaries, _ encoding: String) async throws {
            let database = try await Self.create("encoding_any", encoding, on: binaries)
            let (u, o) = (Self.text("\\xfc", encoding), Self.text("\\xf6", encoding))
            try await database.psql(
                """
                CREATE TABLE item (id text PRIMARY KEY, n int NOT NULL, value text);
                INSERT INTO item SELECT 'f' || \(u) || 'r ' || n, n, repeat(\(o), n % 7) FROM generate_series(1, 2000) n;
                """)
            let session = try await TestSession(database)
            let running = RunningMigration(MigrationRequest("item", "ALTER n TYPE bigint"), database, .quick.manual())
            running.mayFindMismatches()
            try await running.untilReady(session)
            try await session.execute(
                """
                UPDATE item SET value = value || \(u) WHERE n % 3 = 0;
                UPDATE item SET id = id || \(o) WHERE n % 7 = 0;
                DELETE FROM item WHERE n % 11 = 0;
                """)
            // Values that differ are shown to people.
            try await session.execute("UPDATE item_green.item SET value = \(o) || 'damaged' WHERE n = 13")
            let seen = try await Verified.verify(running, database, session)
            #expect(seen.mismatches == 1, "\(running.log.all.suffix(5))")
            try await session.execute("UPDATE item SET id = \(u) || id WHERE n % 5 = 0")
            try await Steer(connections: database.options).run(.cutOver, "item")
            try await running.summary()
            #expect(
                try await session.isTrue(
                    """
                    NOT EXISTS ((TABLE item_blue.item EXCEPT ALL SELECT id, n::int, value FROM item)
                        UNION ALL (SELECT id, n::int, value FROM item EXCEPT ALL TABLE item_blue.item))
                    """))
            #expect(try await session.isTrue("(SELECT count(*) FROM item WHERE id LIKE '%' || \(u) || '%') > 1500"))
            try await Finalize(connections: database.options).run("item")
            try await Remains(session: session).expectNothing()
            await session.close()
        }

        /// What others say of a migration may be in characters that the database does not have.
        @Test(arguments: try await Servers.outermost(), ["LATIN1", "SQL_ASCII", "UTF8"])
        func notesOfAnyCharacters(_ binaries: ServerBinaries, _ encoding: String) async throws {
            let database = try await Self.create("encoding_notes", encoding, on: binaries)
            let session = try await TestSession(database)
            try await session.execute("CREATE TABLE item (id int PRIMARY KEY); INSERT INTO item VALUES (1)")
            let hooks = try HookScripts()
            try hooks.addFile("no")
            try hooks.add("on-before-cut-over", "test ! -e '\(hooks.path)/no' || { echo 'für später … 🐘'; exit 1; }")
            let running = RunningMigration(
                MigrationRequest("item", "ALTER id TYPE bigint"), database, try hooks.options())
            let note = encoding == "LATIN1" ? "f?r sp?ter ... ?" : "für später … 🐘"
            try await running.until("it is recorded") {
                try await session.isTrue("to_regclass('shadow_alter.migration') IS NOT NULL")
            }
            try await running.until("the note is kept") {
                try await session.isTrue(
                    "EXISTS (SELECT FROM shadow_alter.migration WHERE concat(reason, message, cut_over_last_error) LIKE '%\(note)%')"
                )
            }
            try hooks.removeFile("no")
            try await running.summary()
            hooks.remove()
            try await Finalize(connections: database.options).run("item")
            try await Remains(session: session).expectNothing()
            await session.close()
        }

        /// A definition goes through our hands as text: one that is not UTF-8 where nobody says what it is would come out as another.
        @Test(arguments: try await Servers.outermost())
        func aDefinitionThatCannotBeReadIsRefused(_ binaries: ServerBinaries) async throws {
            let database = try await Self.create("encoding_definition", "SQL_ASCII", on: binaries)
            let session = try await TestSession(database)
            try await session.execute(
                """
                CREATE TABLE item (id int PRIMARY KEY, value text);
                DO $$ BEGIN EXECUTE format('ALTER TABLE item ADD CHECK (value <> %L)', \(Self.text("\\xfc", "SQL_ASCII"))); END $$;
                """)
            let before = try await session.column(
                "SELECT md5(pg_get_constraintdef(oid)) FROM pg_constraint WHERE contype = 'c'")
            let running = RunningMigration(MigrationRequest("item", "ALTER id TYPE bigint"), database)
            let error = await running.failure()
            #expect("\(try #require(error))".contains("invalid byte sequence"), "\(String(describing: error))")
            #expect(
                try await session.column("SELECT md5(pg_get_constraintdef(oid)) FROM pg_constraint WHERE contype = 'c'")
                    == before)
            try await Remains(session: session).expectNothing()
            await session.close()
        }

        /// What is left in a spool that is made small passes through our hands, too.
        @Test(arguments: try await Servers.outermost())
        func aSpoolThatCannotBeReadIsLeftAsItIs(_ binaries: ServerBinaries) async throws {
            let database = try await Self.create("encoding_spool", "SQL_ASCII", on: binaries)
            let session = try await TestSession(database)
            try await session.execute(
                """
                CREATE TABLE spool (seq bigint, xid xid8, shadow_alter_k1 text) WITH (autovacuum_enabled = off);
                INSERT INTO spool SELECT n, '7'::xid8, \(Self.text("\\xfc", "SQL_ASCII")) || n FROM generate_series(1, 100000) n;
                DELETE FROM spool WHERE seq % 50 > 0;
                """)
            let connection = try await PgConnection.connect(database.options, for: .refresh)
            #expect(try await !SpoolRenewal(spool: QualifiedName(schema: "public", name: "spool")).run(on: connection))
            #expect(try await session.isTrue("(SELECT count(*) FROM spool) = 2000"))
            await connection.close()
            await session.close()
        }
    }
}
