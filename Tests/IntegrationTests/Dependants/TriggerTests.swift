import PgConnection
import ShadowAlter
import Testing
import ThrowawayServer

/// A table with a trigger of every kind.
private enum Watched {
    static let setup = """
        CREATE SCHEMA "tri gger";
        CREATE TABLE log (at bigint GENERATED ALWAYS AS IDENTITY, who text, what text, old text, new text);
        CREATE FUNCTION "tri gger".note() RETURNS trigger LANGUAGE plpgsql AS $$
        BEGIN
            INSERT INTO public.log (who, what, old, new) VALUES (TG_NAME || coalesce(' ' || TG_ARGV[0], ''), TG_OP,
                CASE WHEN TG_LEVEL = 'ROW' AND TG_OP <> 'INSERT' THEN old.id || ' ' || old.a END,
                CASE WHEN TG_LEVEL = 'ROW' AND TG_OP <> 'DELETE' THEN new.id || ' ' || new.a END);
            RETURN CASE WHEN TG_OP = 'DELETE' THEN old ELSE new END;
        END $$;
        CREATE FUNCTION count_rows() RETURNS trigger LANGUAGE plpgsql AS $$
        BEGIN
            INSERT INTO public.log (who, what, old) SELECT TG_NAME, TG_OP, count(*) FROM changed;
            RETURN NULL;
        END $$;
        CREATE FUNCTION positive(int) RETURNS boolean IMMUTABLE LANGUAGE sql AS 'SELECT $1 > 0';
        CREATE FUNCTION positive(bigint) RETURNS boolean IMMUTABLE LANGUAGE sql AS 'SELECT $1 > 0';
        CREATE TABLE other (id int PRIMARY KEY);
        CREATE TABLE item (gone int, id int PRIMARY KEY, a int, "B b" text, c int);
        ALTER TABLE item DROP COLUMN gone;
        CREATE TRIGGER plain AFTER INSERT OR DELETE ON item FOR EACH ROW EXECUTE FUNCTION "tri gger".note();
        CREATE TRIGGER "Argu 'ments" BEFORE INSERT ON item FOR EACH ROW EXECUTE FUNCTION "tri gger".note('it''s', '\\x', 'ä');
        CREATE TRIGGER columns AFTER UPDATE OF a, "B b" ON item FOR EACH ROW EXECUTE FUNCTION "tri gger".note();
        CREATE TRIGGER condition BEFORE UPDATE ON item FOR EACH ROW
            WHEN (positive(new.a) AND old.* IS DISTINCT FROM new.* AND new.id <> 0) EXECUTE FUNCTION "tri gger".note();
        CREATE TRIGGER type_of_row BEFORE DELETE ON item FOR EACH ROW WHEN (pg_typeof(old)::text IS NOT NULL AND old <> ROW(0, 0, '', 0)::item)
            EXECUTE FUNCTION "tri gger".note();
        CREATE TRIGGER statement BEFORE TRUNCATE ON item EXECUTE FUNCTION "tri gger".note();
        CREATE TRIGGER new_rows AFTER INSERT ON item REFERENCING NEW TABLE AS changed EXECUTE FUNCTION count_rows();
        CREATE TRIGGER old_rows AFTER DELETE ON item REFERENCING OLD TABLE AS changed EXECUTE FUNCTION count_rows();
        CREATE CONSTRAINT TRIGGER late AFTER INSERT ON item DEFERRABLE INITIALLY DEFERRED FOR EACH ROW EXECUTE FUNCTION "tri gger".note();
        CREATE CONSTRAINT TRIGGER from_other AFTER INSERT ON item FROM other NOT DEFERRABLE FOR EACH ROW EXECUTE FUNCTION "tri gger".note();
        CREATE TRIGGER off AFTER INSERT ON item FOR EACH ROW EXECUTE FUNCTION "tri gger".note();
        CREATE TRIGGER always AFTER INSERT ON item FOR EACH ROW EXECUTE FUNCTION "tri gger".note();
        CREATE TRIGGER replica AFTER INSERT ON item FOR EACH ROW EXECUTE FUNCTION "tri gger".note();
        ALTER TABLE item DISABLE TRIGGER off;
        ALTER TABLE item ENABLE ALWAYS TRIGGER always;
        ALTER TABLE item ENABLE REPLICA TRIGGER replica;
        COMMENT ON TRIGGER columns ON item IS 'a ''comment''';
        COMMENT ON CONSTRAINT late ON item IS 'of the constraint';
        ALTER TRIGGER plain ON item DEPENDS ON EXTENSION plpgsql;
        INSERT INTO item SELECT n, n, 'b', n FROM generate_series(1, 3000) n;
        TRUNCATE log;
        """
    /// What makes every trigger fire that is to.
    static let use = """
        INSERT INTO item VALUES (10001, 1, 'b', 1), (10002, 2, 'b', 2);
        UPDATE item SET a = 5 WHERE id = 1; UPDATE item SET c = 5 WHERE id = 2; UPDATE item SET a = a WHERE id = 3;
        DELETE FROM item WHERE id = 4;
        SET session_replication_role = replica; INSERT INTO item VALUES (10003, 3); RESET session_replication_role;
        """
}

extension LiveMigrations {
    /// Triggers come back as they were, in their state, and fire for nobody but the application.
    @Suite(.serialized, .timeLimit(.minutes(5))) struct TriggerTests {
        @Test(arguments: try await Servers.outermost())
        func aRebuildLeavesNoDifference(_ binaries: ServerBinaries) async throws {
            let database = try await TestDatabase.create("trigger_rebuild", on: binaries)
            try await database.psql(Watched.setup)
            try await database.expectRebuildLeavesNoDifference("item", name: "item")
            let fired = try await database.psql("SELECT who FROM log")
            #expect(fired.isEmpty, "the copy has fired triggers: \(fired)")
        }

        /// PostgreSQL itself refuses to change the type of a column that a trigger mentions; the twin gets its triggers afterwards.
        @Test(arguments: try await Servers.outermost())
        func aChangeOfTypeTakesThemAlong(_ binaries: ServerBinaries) async throws {
            let database = try await TestDatabase.create("trigger_type", on: binaries)
            let twin = try await TestDatabase.create("trigger_type_twin", on: binaries)
            try await database.psql(Watched.setup)
            try await twin.psql(
                Watched.setup.replacing(
                    "ALTER TABLE item DROP COLUMN gone;",
                    with:
                        "ALTER TABLE item DROP COLUMN gone; ALTER TABLE item ALTER id TYPE bigint, ALTER a TYPE bigint;"
                ))
            let session = try await TestSession(database)
            let running = RunningMigration(
                MigrationRequest("item", "ALTER id TYPE bigint, ALTER a TYPE bigint"), database, .quick.manual())
            try await running.untilReady(session)
            // What changes during the migration fires once, for the application.
            try await session.execute("INSERT INTO item VALUES (20001, 1)")
            try await Steer(connections: database.options).run(.cutOver, "item")
            try await running.summary()
            #expect(try await session.isTrue("(SELECT count(*) FROM log WHERE who = 'plain' AND new = '20001 1') = 1"))
            try await session.execute("DELETE FROM item WHERE id = 20001; TRUNCATE log RESTART IDENTITY")
            try await twin.psql("TRUNCATE log RESTART IDENTITY")
            for database in [database, twin] { try await database.psql(Watched.use) }
            let log = "SELECT * FROM log ORDER BY at"
            let found = try await database.psql(log)
            let wanted = try await twin.psql(log)
            #expect(found == wanted)
            #expect(found.contains("condition") && found.contains("always") && found.contains("replica"), "\(found)")
            try await session.execute("DELETE FROM log; DELETE FROM item_blue.item WHERE id = 7")
            #expect(try await session.isTrue("NOT EXISTS (SELECT FROM log)"), "the old table still has triggers")
            try await Finalize(connections: database.options).run("item")
            DefinitionOracle.expectSame(
                try await DefinitionOracle(database: database).read(), try await DefinitionOracle(database: twin).read()
            )
            await session.close()
        }

        @Test(
            arguments: try await Servers.outermost(),
            [
                ("DROP \"B b\"", ["trigger-column"], "drops the column B b, which the trigger columns uses"),
                ("ALTER a TYPE text", ["trigger-not-possible"], "positive(text) does not exist"),
                ("DROP c", ["trigger-not-possible"], "cannot cast type record to"),
            ])
        func whatCannotBeMadeIsRefused(
            _ binaries: ServerBinaries, _ refused: (clauses: String, codes: [String], says: String)
        ) async throws {
            let database = try await TestDatabase.create("trigger_refused", on: binaries)
            try await database.psql(Watched.setup)
            let refusals = try await database.refusals(MigrationRequest("item", refused.clauses))
            #expect(Set(refusals.map(\.code)) == Set(refused.codes))
            let text = refusals.map(\.description).joined(separator: "\n")
            #expect(text.contains(refused.says), "\(text)")
        }

        @Test(arguments: try await Servers.outermost())
        func aRenamedColumnIsRefused(_ binaries: ServerBinaries) async throws {
            let database = try await TestDatabase.create("trigger_renamed", on: binaries)
            try await database.psql(Watched.setup)
            let refusals = try await database.refusals(
                MigrationRequest(change: .script("ALTER TABLE item RENAME a TO z"), strategy: .shadow))
            #expect(refusals.map(\.code) == ["trigger-column", "trigger-column"])
            let text = refusals.map(\.what).joined(separator: "\n")
            #expect(text.contains("renames the column a to z, which the trigger condition uses"), "\(text)")
        }

        @Test(
            arguments: try await Servers.outermost(),
            [
                "DROP TRIGGER plain ON item", "ALTER TABLE item ENABLE TRIGGER off",
                "ALTER TRIGGER plain ON item RENAME TO late_comer",
                "COMMENT ON TRIGGER plain ON item IS 'new'", "ALTER FUNCTION count_rows RENAME TO other_name",
                "ALTER TRIGGER plain ON item NO DEPENDS ON EXTENSION plpgsql",
            ])
        func aChangeOfATriggerIsNoted(_ binaries: ServerBinaries, _ ddl: String) async throws {
            let database = try await TestDatabase.create("trigger_changed", on: binaries)
            try await database.psql(Watched.setup)
            let session = try await TestSession(database)
            let running = RunningMigration(MigrationRequest("item", "ALTER id TYPE bigint"), database, .quick.manual())
            try await running.untilReady(session)
            try await session.execute(ddl)
            try await Steer(connections: database.options).run(.cutOver, "item")
            let error = try #require(await running.failure() as? MigrationError)
            #expect(error.code == .sourceChanged, "\(error)")
            try await Abort(connections: database.options, log: running.log.logger()).run("item")
            await session.close()
        }
    }
}
