import PgConnection
import Testing
import ThrowawayServer

@testable import ShadowAlter

extension LiveMigrations {
    /// The old tables go in pieces, and not at all while anything stands in the way.
    @Suite(.serialized, .timeLimit(.minutes(5))) struct FinalizeTests {
        @Test(arguments: try await Servers.outermost())
        func aLargeTableGoesIndexByIndex(_ binaries: ServerBinaries) async throws {
            let exchanged = try await Exchanged.create("fin_pieces", on: binaries)
            try await exchanged.session.execute(
                "ALTER TABLE item_blue.item ADD CONSTRAINT own FOREIGN KEY (up) REFERENCES item_blue.item; \(Exchanged.witness)"
            )
            try await exchanged.finalize(pieceSize: 0)
            #expect(
                try await exchanged.drops() == [
                    "index item_lower", "index item_value", "index item_room_excl", "index item_code_key",
                    "index item_pkey",
                    "table item",
                ])
            #expect(try await exchanged.session.value("SELECT count(*) FROM item", as: Int.self) == 500)
            try await exchanged.finish()
        }

        /// The old table's default is the new one's sequence, which is in the way of the next migration.
        @Test(arguments: try await Servers.outermost())
        func theNextMigrationIsToldWhatIsInItsWay(_ binaries: ServerBinaries) async throws {
            let exchanged = try await Exchanged.create(
                "fin_next", on: binaries, setup: "CREATE TABLE item (id serial PRIMARY KEY, value text)")
            let again = MigrationRequest("item", "ALTER value TYPE varchar(20)", name: "again")
            let refused = try #require(
                await RunningMigration(again, exchanged.database).failure() as? Refused)
            let fixes = refused.refusals.map(\.fix)
            #expect(fixes == ["shadow-alter finalize item  -- item_blue.item is the old table of that migration"])
            try await exchanged.finalize()
            try await RunningMigration(again, exchanged.database).summary()
            try await Remains(session: exchanged.session).expectOnlyBlue("again")
            await exchanged.session.close()
        }

        @Test(arguments: try await Servers.outermost())
        func aSmallTableGoesAtOnce(_ binaries: ServerBinaries) async throws {
            let exchanged = try await Exchanged.create("fin_small", on: binaries)
            try await exchanged.session.execute(Exchanged.witness)
            try await exchanged.finalize()
            let drops = try await exchanged.drops()
            #expect(drops.count == 1 && drops.first?.contains("table item") == true, "\(drops)")
            try await exchanged.finish()
        }

        /// Each of them in a transaction of its own, whatever foreign keys somebody has put between them.
        @Test(arguments: try await Servers.outermost())
        func tablesThatReferToEachOtherGoOneByOne(_ binaries: ServerBinaries) async throws {
            let exchanged = try await Exchanged.create(
                "fin_circle", on: binaries, setup: Shop.setup, request: Shop.plain)
            try await exchanged.session.execute(
                """
                ALTER TABLE shop_blue.entry ADD FOREIGN KEY (account_id) REFERENCES shop_blue.account;
                ALTER TABLE shop_blue.account ADD FOREIGN KEY (id) REFERENCES shop_blue.note NOT VALID;
                ALTER TABLE shop_blue.note ADD FOREIGN KEY (entry_id) REFERENCES shop_blue.entry;
                \(Exchanged.witness)
                """)
            try await exchanged.finalize()
            let drops = try await exchanged.drops()
            #expect(drops.count == 3, "\(drops)")
            try await exchanged.finish()
        }

        @Test(arguments: try await Servers.outermost())
        func partitionsGoOneByOneBeforeTheirParents(_ binaries: ServerBinaries) async throws {
            let exchanged = try await Exchanged.create(
                "fin_tree", on: binaries,
                setup: """
                    CREATE TABLE item (id int PRIMARY KEY, value text) PARTITION BY RANGE (id);
                    CREATE TABLE item_low PARTITION OF item FOR VALUES FROM (0) TO (100) PARTITION BY RANGE (id);
                    CREATE TABLE item_first PARTITION OF item_low FOR VALUES FROM (0) TO (50);
                    CREATE TABLE item_second PARTITION OF item_low FOR VALUES FROM (50) TO (100);
                    CREATE TABLE item_high PARTITION OF item FOR VALUES FROM (100) TO (200);
                    CREATE INDEX ON item (value);
                    INSERT INTO item SELECT n, 'value ' || n FROM generate_series(1, 199) n;
                    """, request: MigrationRequest("item", "ALTER value TYPE varchar(90)"))
            // It would go with its parent, and nobody would have asked for that.
            try await exchanged.session.execute(
                """
                CREATE TABLE precious (id int NOT NULL, value text);
                INSERT INTO precious VALUES (250, 'mine'); ALTER TABLE item_blue.item ATTACH PARTITION precious FOR VALUES FROM (200) TO (300)
                """)
            let before = try await exchanged.blue()
            let refusal = await exchanged.refusal(pieceSize: 0)
            #expect(refusal?.message.contains("public.precious") == true, "\(String(describing: refusal))")
            #expect(try await exchanged.blue() == before)
            try await exchanged.session.execute(
                "ALTER TABLE item_blue.item DETACH PARTITION precious; \(Exchanged.witness)")
            try await exchanged.finalize(pieceSize: 0)
            let tables = try await exchanged.drops().map { line in
                line.split(separator: ", ").filter { $0.hasPrefix("table") }.joined(separator: ", ")
            }
            #expect(tables.count == 5, "\(tables)")
            #expect(Set(tables.prefix(2)) == ["table item_first", "table item_second"])
            #expect(tables.last == "table item")
            #expect(try await exchanged.session.column("SELECT value FROM precious") == ["mine"])
            try await exchanged.finish()
        }

        /// What stands on one of several tables keeps all of them, whichever would be dropped first.
        @Test(
            arguments: try await Servers.outermost(),
            [
                ("CREATE VIEW report AS SELECT count(*) FROM shop_blue.account", "DROP VIEW report", "report"),
                ("CREATE VIEW report AS SELECT count(*) FROM shop_blue.note", "DROP VIEW report", "report"),
                (
                    "CREATE TABLE outside (a int REFERENCES shop_blue.entry)", "DROP TABLE outside", "outside_a_fkey"
                ),
                ("CREATE TABLE shop_blue.mine (a int)", "DROP TABLE shop_blue.mine", "mine"),
                ("CREATE TABLE heir () INHERITS (shop_blue.note)", "DROP TABLE heir", "heir"),
                (
                    "CREATE FUNCTION f(shop_blue.note) RETURNS int LANGUAGE sql AS 'SELECT 1'", "DROP FUNCTION f", "f("
                ),
            ])
        func nothingIsDroppedWhileSomethingStandsOnIt(
            _ binaries: ServerBinaries, _ obstacle: (build: String, remove: String, name: String)
        ) async throws {
            let exchanged = try await Exchanged.create(
                "fin_stands", on: binaries, setup: Shop.setup, request: Shop.plain)
            try await exchanged.session.execute(obstacle.build)
            let before = try await exchanged.blue()
            let refusal = await exchanged.refusal(pieceSize: 0)
            #expect(refusal?.code == .conflict)
            #expect(refusal?.message.contains(obstacle.name) == true, "\(String(describing: refusal))")
            #expect(refusal?.state.contains("untouched") == true, "\(String(describing: refusal))")
            #expect(try await exchanged.blue() == before)
            let entries: Int = try await exchanged.session.value("SELECT count(*) FROM shop_blue.entry")
            #expect(entries == Shop.entries)
            try await exchanged.session.execute(obstacle.remove)
            try await exchanged.finalize(pieceSize: 0)
            try await exchanged.finish()
        }

        @Test(arguments: try await Servers.outermost())
        func whatWasInterruptedBetweenTwoPiecesIsContinued(_ binaries: ServerBinaries) async throws {
            let exchanged = try await Exchanged.create("fin_killed", on: binaries)
            // Constraints go after the other indexes, so that some are gone when it stands here.
            try await exchanged.session.execute(
                """
                CREATE FUNCTION gate() RETURNS event_trigger LANGUAGE plpgsql AS $$
                BEGIN
                    IF current_setting('application_name') = 'shadow-alter control' THEN PERFORM pg_advisory_xact_lock_shared(4715); END IF;
                END $$;
                CREATE EVENT TRIGGER gate ON ddl_command_start WHEN TAG IN ('ALTER TABLE') EXECUTE FUNCTION gate();
                SELECT pg_advisory_lock(4715)
                """)
            let first = Task { try await exchanged.finalize(pieceSize: 0) }
            try await eventually("it stands between two pieces") {
                try await exchanged.session.isTrue(
                    "EXISTS (SELECT FROM pg_locks WHERE locktype = 'advisory' AND objid = 4715 AND NOT granted)")
            }
            try await exchanged.session.execute(
                "SELECT pg_terminate_backend(pid, 60000) FROM pg_stat_activity WHERE datname = current_database() AND application_name = 'shadow-alter control'"
            )
            await #expect(throws: PgError.self) { try await first.value }
            let left = try await exchanged.blue()
            #expect(!left.contains("i item_value") && !left.contains("i item_lower"))
            #expect(left.contains("i item_pkey") && left.contains("r item"))
            #expect(try await exchanged.session.value("SELECT count(*) FROM item", as: Int.self) == 500)
            let status = try await StatusReader(connections: exchanged.database.options).status(of: "item")
            #expect(status.message.contains("finalize has begun"), "\(status.message)")
            #expect(
                try await exchanged.session.isTrue(
                    "(SELECT finalize_started_at IS NOT NULL FROM shadow_alter.migration)"))

            // What is built meanwhile is named, and kept with what it stands on.
            try await exchanged.session.execute(
                "SELECT pg_advisory_unlock_all(); CREATE VIEW late AS SELECT value FROM item_blue.item")
            let refusal = await exchanged.refusal(pieceSize: 0)
            #expect(refusal?.message.contains("late") == true, "\(String(describing: refusal))")
            #expect(refusal?.state.contains("dropped already") == true, "\(String(describing: refusal))")
            #expect(try await exchanged.blue() == left)
            try await exchanged.session.execute("DROP VIEW late")
            try await exchanged.finalize(pieceSize: 0)
            try await exchanged.finish()
        }

        @Test(arguments: try await Servers.outermost())
        func whoReadsAnOldTableIsNamedAndWaitedFor(_ binaries: ServerBinaries) async throws {
            let exchanged = try await Exchanged.create("fin_reader", on: binaries)
            let reader = try await TestSession(exchanged.database, "monthly report")
            try await reader.execute("BEGIN; SELECT count(*) FROM item_blue.item")
            let before = try await exchanged.blue()
            let refusal = await exchanged.refusal(patience: .zero)
            #expect(refusal?.code == .conflict)
            #expect(refusal?.message.contains("session \(reader.pid) ") == true, "\(String(describing: refusal))")
            #expect(refusal?.message.contains("monthly report") == true, "\(String(describing: refusal))")
            #expect(refusal?.state.contains("untouched") == true, "\(String(describing: refusal))")
            #expect(try await exchanged.blue() == before)
            let patient = Task { try await exchanged.finalize() }
            try await eventually("it says for whom it waits") {
                exchanged.log.all.filter { $0.contains("finalize waits: session \(reader.pid) ") }.count >= 2
            }
            // Nobody waits behind it: it asks for no lock that it would not be given.
            #expect(
                try await exchanged.session.isTrue(
                    "NOT EXISTS (SELECT FROM pg_locks WHERE NOT granted AND relation = 'item_blue.item'::regclass)"))
            try await reader.execute("COMMIT")
            try await patient.value
            await reader.close()
            try await exchanged.finish()
        }

        @Test(arguments: try await Servers.outermost())
        func aFailedVerificationKeepsTheOldTable(_ binaries: ServerBinaries) async throws {
            let verified = try await Verified.ready("fin_failed", on: binaries)
            try await verified.session.execute(
                """
                CREATE FUNCTION spoil() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN NEW.value := 'spoiled'; RETURN NEW; END $$;
                CREATE TRIGGER spoil BEFORE INSERT OR UPDATE ON item_green.item FOR EACH ROW WHEN (NEW.id = 7) EXECUTE FUNCTION spoil();
                UPDATE item_green.item SET value = 'anything' WHERE id = 7
                """)
            try await verified.steer(.verify)
            #expect((await verified.running.failure() as? MigrationError)?.code == .verificationFailed)
            try await verified.session.execute("DROP FUNCTION spoil CASCADE")
            var careless = MigrationOptions.quick
            careless.verification = .off
            careless.finalizeAfter = .zero
            let second = RunningMigration(Verified.request, verified.database, careless)
            second.mayFindMismatches()
            let error = try #require(await second.failure() as? MigrationError)
            #expect(error.code == .conflict && error.message.contains("has failed (2 differences)"), "\(error)")
            let old = "SELECT count(*) FROM item_blue.item"
            #expect(try await verified.session.value(old, as: Int.self) == Verified.rows)
            let finalize = Finalize(connections: verified.database.options)
            let refusal = await #expect(throws: MigrationError.self) { try await finalize.run("item") }
            #expect(refusal?.code == .conflict && refusal?.advice.contains("--accept-mismatches") == true)
            #expect(try await verified.session.value(old, as: Int.self) == Verified.rows)
            try await Finalize(connections: verified.database.options, acceptsMismatches: true).run("item")
            try await Remains(session: verified.session).expectNothing()
            await verified.session.close()
        }
    }
}
