import PgConnection
import ShadowAlter
import Testing
import ThrowawayServer

extension LiveMigrations {
    /// Whatever is wrong with the new table is found, named and repaired, or ends the migration.
    @Suite(.serialized, .timeLimit(.minutes(10))) struct MismatchTests {
        struct Damage: Sendable {
            let sql: String
            /// Negative: as many rows as are missing.
            let mismatches: Int64
            let named: [String]
        }

        private static let damages = [
            Damage(
                sql: "UPDATE item_green.item SET value = 'other' WHERE id = 8", mismatches: 1,
                named: ["row id = '8': value is 'other' instead of 'value 8'"]),
            Damage(
                sql: "UPDATE item_green.item SET value = NULL WHERE id = 9", mismatches: 1,
                named: ["row id = '9': value is NULL instead of 'value 9'"]),
            Damage(
                sql: "UPDATE item_green.item SET value = '' WHERE id = 7", mismatches: 1,
                named: ["row id = '7': value is '' instead of NULL"]),
            Damage(
                sql: "DELETE FROM item_green.item WHERE id IN (10, 11)", mismatches: 2,
                named: ["row id = '10': is missing", "row id = '11': is missing"]),
            Damage(
                sql: "INSERT INTO item_green.item (id, code) VALUES (5000000000, 'foreign')", mismatches: 1,
                named: ["row id = '5000000000': is not in the old table"]),
            Damage(
                sql: "UPDATE item_green.item SET big = overlay(big PLACING '#' FROM 6000 FOR 1) WHERE id = 20",
                mismatches: 1, named: ["row id = '20': big is "]),
            Damage(
                sql: "UPDATE item_green.item SET doc = '{\"n\" :12}', place = '(1,2)' WHERE id = 12", mismatches: 1,
                named: ["doc is '{\"n\" :12}' instead of", "place is '(1,2)' instead of '(12,-12)'"]),
            Damage(
                sql: "UPDATE item_green.item SET ratio = '0' WHERE id = 13", mismatches: 1,
                named: ["ratio is '0' instead of '-0'"]),
            Damage(
                sql: "UPDATE item_green.item SET amount = 1.5 WHERE id = 16", mismatches: 1,
                named: ["amount is '1.5' instead of '1.50"]),
            Damage(
                sql: "UPDATE item_green.item SET extra = 8 WHERE id = 17", mismatches: 1,
                named: ["extra is '8' instead of '7'"]),
            Damage(
                sql: "UPDATE item_green.item SET amount = 0, ratio = 0, extra = NULL WHERE id = 24", mismatches: 1,
                named: [
                    "ratio is '0' instead of 'NaN'", "amount is '0' instead of 'NaN'", "extra is NULL instead of '7'",
                ]),
            // Its type's own `=` sees nothing.
            Damage(
                sql: "UPDATE item_green.item SET blind = upper(blind::text)::citext WHERE id IN (18, 19)",
                mismatches: 2,
                named: [
                    "row id = '18': blind is 'BLIND 18' instead of 'Blind 18'",
                    "row id = '19': blind is 'BLIND 19' instead of 'Blind 19'",
                ]),
            // One column after the other of one row.
            Damage(
                sql: """
                    UPDATE item_green.item SET code = 'other', doc = '[]', place = NULL, big = NULL, fixed = 'y' WHERE id = 50;
                    UPDATE item_green.item SET tags = ARRAY['a', 'NULL', '51'] WHERE id = 51
                    """, mismatches: 2,
                named: [
                    "code is 'other' instead of 'code 50'", "place is NULL instead of '(50,-50)'",
                    "big is NULL instead of ",
                    "fixed is 'y' instead of 'x50'", "tags is '{a,\"NULL\",51}' instead of '{a,NULL,51}'",
                ]),
            // A stretch of the file is missing, as after a chunk that was recorded and not written.
            Damage(
                sql:
                    "DELETE FROM item_green.item WHERE ctid >= '(5,0)' AND ctid < '(15,0)' AND id BETWEEN 100 AND 1900",
                mismatches: -1, named: ["is missing"]),
            // The same row twice, under the key of another one.
            Damage(
                sql: """
                    DELETE FROM item_green.item WHERE id = 60; ALTER TABLE item_green.item DROP CONSTRAINT item_code_key;
                    INSERT INTO item_green.item SELECT 60, code, value, doc, place, big, ratio, amount, fixed, tags, blind, extra
                        FROM item_green.item WHERE id = 61
                    """, mismatches: 1, named: ["row id = '60': code is 'code 61' instead of 'code 60'"]),
            // The rows have changed places: each is there, with the other's values.
            Damage(
                sql: """
                    UPDATE item_green.item SET code = 'away' WHERE id = 31; UPDATE item_green.item SET code = 'code 31' WHERE id = 32;
                    UPDATE item_green.item SET code = 'code 32' WHERE id = 31
                    """, mismatches: 2, named: ["code is 'code 32' instead of 'code 31'"]),
            // The row's place is taken by one that does not exist.
            Damage(
                sql: "UPDATE item_green.item SET id = 70000 WHERE id = 40", mismatches: 2,
                named: ["row id = '40': is missing", "row id = '70000': is not in the old table"]),
        ]

        @Test(arguments: try await Servers.outermost())
        func everyKindOfDamageIsFoundNamedAndRepaired(_ binaries: ServerBinaries) async throws {
            let verified = try await Verified.ready("verify_damage", on: binaries)
            #expect(try await verified.status().verify.outcome == .passed)
            for damage in Self.damages {
                try await verified.session.execute(damage.sql)
                let missing: Int64 = try await verified.session.value(
                    "SELECT (SELECT count(*) FROM item) - (SELECT count(*) FROM item_green.item)")
                let seen = try await verified.verify()
                #expect(damage.mismatches >= 0 || missing > 50)
                #expect(
                    seen.mismatches == (damage.mismatches < 0 ? missing : damage.mismatches), "\(damage.sql): \(seen)")
                #expect(seen.outcome == .passed)
                #expect(seen.rowsChecked == Int64(Verified.rows))
                for text in damage.named {
                    #expect(verified.running.log.contains(text), "\(text): \(verified.running.log.all.suffix(12))")
                }
                try await verified.expectEqual()
            }
            #expect(try await verified.verify().mismatches == 0)
            // How a value is stored is no difference.
            let compression = try await verified.session.isTrue(
                "EXISTS (SELECT FROM pg_settings WHERE name = 'default_toast_compression' AND 'lz4' = ANY (enumvals))")
            try await verified.session.execute(
                """
                ALTER TABLE item_green.item ALTER big SET STORAGE EXTENDED;
                ALTER TABLE item_green.item ALTER big SET COMPRESSION \(compression ? "lz4" : "pglz");
                UPDATE item_green.item SET big = big || '' WHERE id % 20 = 0
                """)
            #expect(try await verified.verify().mismatches == 0)
            try await verified.abort()
        }

        /// Before the first verification, too, and without anybody asking for it.
        @Test(arguments: try await Servers.outermost())
        func whatIsWrongAfterTheCopyIsRepairedBeforeTheExchange(_ binaries: ServerBinaries) async throws {
            let items = try await Items.create("verify_copy", on: binaries)
            let running = RunningMigration(Items.gated, items.database, .pageByPage)
            running.mayFindMismatches()
            try await items.barrier.waitForCopy(running)
            // Copied and recorded, so that nobody but a verification will look at them again.
            try await items.session.execute("DELETE FROM item_green.item WHERE id IN (3, 4)")
            try await items.session.execute("UPDATE item_green.item SET value = 'damaged' WHERE id = 5")
            try await items.barrier.openCopy()
            let summary = try await running.summary()
            #expect(summary.verify.mismatches == 3)
            #expect(running.log.contains("value is 'damaged' instead of 'value 5'"), "\(running.log.all)")
            try await items.expectExact()
            try await items.finish()
        }

        /// A snapshot from before a repair would find the row as it was, or not at all.
        @Test(arguments: try await Servers.outermost())
        func snapshotsFromBeforeARepairAreWaitedFor(_ binaries: ServerBinaries) async throws {
            let items = try await Items.create("verify_snapshot", on: binaries)
            let running = RunningMigration(Items.plain, items.database, .quick.manual())
            running.mayFindMismatches()
            try await running.untilReady(items.session)
            try await items.session.execute("DELETE FROM item_green.item WHERE id = 10")
            let reader = try await TestSession(items.database, "reader")
            try await reader.execute("BEGIN ISOLATION LEVEL REPEATABLE READ; SELECT * FROM other")
            let seen = try await Verified.verify(running, items.database, items.session)
            #expect(seen.mismatches == 1)
            try await Steer(connections: items.database.options).run(.cutOver, "item")
            try await running.until("the cut-over waits for the old snapshot, or did not") {
                let reason = running.migration.status.snapshot.reason ?? ""
                return reason.contains("session \(reader.pid) ") && reason.contains("snapshot from before")
            }
            try await reader.execute("COMMIT")
            try await running.summary()
            await reader.close()
            try await items.expectExact()
            try await items.finish()
        }

        @Test(arguments: try await Servers.outermost())
        func whatComesBackEndsTheMigrationAndTouchesNoLiveTable(_ binaries: ServerBinaries) async throws {
            let verified = try await Verified.ready("verify_comes_back", on: binaries)
            let before = try await verified.session.column("SELECT item::text FROM item ORDER BY id")
            try await verified.session.execute(
                """
                CREATE FUNCTION spoil() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN NEW.value := 'spoiled'; RETURN NEW; END $$;
                CREATE TRIGGER spoil BEFORE INSERT OR UPDATE ON item_green.item FOR EACH ROW WHEN (NEW.id = 7) EXECUTE FUNCTION spoil();
                UPDATE item_green.item SET value = 'anything' WHERE id = 7
                """)
            try await verified.steer(.verify)
            let error = try #require(await verified.running.failure() as? MigrationError)
            #expect(error.code == .verificationFailed, "\(error)")
            #expect(error.message.contains("row id = '7': value is 'spoiled' instead of NULL"), "\(error)")
            #expect(error.message.contains("1 of 1 differences came back"), "\(error)")
            let status = try await verified.status()
            #expect(status.verify.outcome == .failed)
            #expect(!status.ready)
            #expect(try await verified.session.column("SELECT item::text FROM item ORDER BY id") == before)
            #expect(
                try await verified.session.isTrue(
                    "(SELECT atttypid = 'int'::regtype FROM pg_attribute WHERE attrelid = 'item'::regclass AND attname = 'id')"
                ))

            // The same command verifies again: in vain at first, and not once the cause is gone.
            let second = RunningMigration(Verified.request, verified.database, .quick)
            second.mayFindMismatches()
            #expect((await second.failure() as? MigrationError)?.code == .verificationFailed)
            try await verified.session.execute("DROP FUNCTION spoil CASCADE")
            let third = RunningMigration(Verified.request, verified.database, .quick)
            third.mayFindMismatches()
            let summary = try await third.summary()
            #expect(summary.verify.outcome == .passed && summary.verify.mismatches == 1)
            #expect(try await verified.session.column("SELECT id FROM item WHERE value = 'spoiled'") == [])
            try await Finalize(connections: verified.database.options).run("item")
            await verified.session.close()
        }

        @Test(arguments: try await Servers.outermost())
        func aRowThatCannotBeTakenAwayEndsTheMigration(_ binaries: ServerBinaries) async throws {
            let verified = try await Verified.ready("verify_stays", on: binaries)
            try await verified.session.execute(
                """
                INSERT INTO item_green.item (id, code) VALUES (90000, 'foreign');
                CREATE FUNCTION keep() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN RETURN NULL; END $$;
                CREATE TRIGGER keep BEFORE DELETE ON item_green.item FOR EACH ROW EXECUTE FUNCTION keep();
                """)
            try await verified.steer(.verify)
            let error = try #require(await verified.running.failure() as? MigrationError)
            #expect(error.code == .verificationFailed, "\(error)")
            #expect(error.message.contains("row id = '90000': is not in the old table"), "\(error)")
            try await verified.abort()
        }

        @Test(arguments: try await Servers.outermost())
        func aTableThatIsNoCopyAtAllIsNotRepaired(_ binaries: ServerBinaries) async throws {
            let items = try await Items.create("verify_too_many", on: binaries)
            try await items.session.execute("INSERT INTO item SELECT n, 'more' FROM generate_series(5001, 12000) n")
            let running = RunningMigration(Items.plain, items.database, .quick.manual())
            running.mayFindMismatches()
            try await running.untilReady(items.session)
            try await items.session.execute("UPDATE item_green.item SET value = 'all wrong'")
            try await Steer(connections: items.database.options).run(.verify, "item")
            let error = try #require(await running.failure() as? MigrationError)
            #expect(error.code == .verificationFailed, "\(error)")
            #expect(error.message.contains("there are 10000 differences or more"))
            #expect(error.message.components(separatedBy: "'all wrong' instead of").count == 21)
            try await Abort(connections: items.database.options, log: running.log.logger()).run("item")
            try await Remains(session: items.session).expectNothing()
            await items.close()
        }
    }
}

extension String {
    fileprivate func components(separatedBy separator: String) -> [Substring] {
        split(separator: separator, omittingEmptySubsequences: false)
    }
}
