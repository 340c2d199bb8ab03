import PgConnection
import ShadowAlter
import Testing
import ThrowawayServer

extension LiveMigrations {
    /// How a verification runs: when, how much, how it is stopped, and what it says.
    @Suite(.serialized, .timeLimit(.minutes(10))) struct VerifyRunTests {
        @Test(arguments: try await Servers.outermost())
        func columnsThatCannotBeComparedAreNamed(_ binaries: ServerBinaries) async throws {
            let database = try await TestDatabase.create("verify_columns", on: binaries)
            try await database.psql(
                """
                SET TimeZone = 'Europe/Berlin';
                CREATE TABLE item (id int PRIMARY KEY, at text, noted timestamp, stamped text, n int, doubled int GENERATED ALWAYS AS (n * 2) STORED);
                INSERT INTO item (id, at, noted, stamped, n)
                SELECT n, '2020-01-01 12:00', '2020-07-01 12:00', 'x', n FROM generate_series(1, 500) n;
                CREATE FUNCTION reads_a_table(text) RETURNS text STABLE LANGUAGE sql AS 'SELECT $1 || count(*) FROM pg_class WHERE false';
                CREATE FUNCTION promised(text) RETURNS text IMMUTABLE LANGUAGE sql AS 'SELECT $1';
                """)
            let clauses = """
                ALTER id TYPE bigint, ALTER at TYPE timestamptz USING at::timestamptz, ALTER noted TYPE timestamptz,
                ALTER stamped TYPE text USING stamped || clock_timestamp(), ALTER n TYPE text USING promised(n::text), DROP doubled,
                ADD made uuid DEFAULT gen_random_uuid(), ADD today date DEFAULT current_date, ADD since timestamptz DEFAULT now(),
                ADD fixed text DEFAULT upper('x'), ADD nothing int, ADD number bigint GENERATED ALWAYS AS IDENTITY,
                ADD looked text DEFAULT reads_a_table('x'), ADD twice bigint GENERATED ALWAYS AS (id * 2) STORED
                """
            let request = MigrationRequest("item", clauses)
            let plan = try await Planning.dryRun(request, connections: database.options)
            #expect(
                Set(plan.tables[0].uncompared.map(\.name)) == [
                    "stamped", "made", "today", "since", "number", "looked", "twice",
                ])
            let text = PlanReport(plan: plan).text
            #expect(text.contains("columns that the verification leaves out"))
            #expect(text.contains("gen_random_uuid()"), "\(text)")
            let running = RunningMigration(request, database, .quick.manual())
            let session = try await TestSession(database)
            try await running.untilReady(session)
            let status = try await StatusReader(connections: database.options).status(of: "item")
            #expect(status.verify.uncompared?.contains("public.item.made") == true)
            #expect(status.verify.outcome == .passed && status.verify.rowsChecked == 500)
            #expect(running.log.contains("the verification leaves out of public.item: "))
            try await Steer(connections: database.options).run(.cutOver, "item")
            let summary = try await running.summary()
            #expect(summary.verify.mismatches == 0)
            await session.close()
        }

        @Test(arguments: try await Servers.outermost())
        func offComparesNothingAndAVerificationByHandAll(_ binaries: ServerBinaries) async throws {
            var options = MigrationOptions.quick
            options.verification = .off
            let verified = try await Verified.ready("verify_off", on: binaries, options: options)
            let before = try await verified.status().verify
            #expect(before.outcome == nil && before.rowsChecked == 0)
            try await verified.session.execute("UPDATE item_green.item SET value = 'other' WHERE id = 8")
            let seen = try await verified.verify()
            #expect(seen.rowsChecked == Int64(Verified.rows) && seen.mismatches == 1)
            try await verified.finish()
        }

        @Test(arguments: try await Servers.outermost())
        func aSampleComparesSomeOfTheRows(_ binaries: ServerBinaries) async throws {
            let items = try await Items.create("verify_sample", on: binaries)
            try await items.session.execute(
                "INSERT INTO item SELECT n, 'value ' || n, repeat(md5(n::text), 20) FROM generate_series(5001, 25000) n"
            )
            var options = MigrationOptions.quick
            options.verification = .sample(0.01)
            let summary = try await RunningMigration(Items.plain, items.database, options).summary()
            #expect(summary.verify.mode == "sample=1%")
            #expect(summary.verify.rowsChecked > 0 && summary.verify.rowsChecked < 25_000, "\(summary.verify)")
            try await items.expectExact()
            try await items.finish()
        }

        @Test(arguments: try await Servers.outermost())
        func aPauseStopsItWithinAStretch(_ binaries: ServerBinaries) async throws {
            var slow = MigrationOptions.pageByPage
            slow.verification = .off
            let verified = try await Verified.ready("verify_pause", on: binaries, options: slow)
            try await verified.steer(.set(.niceRatio, "30"))
            try await verified.steer(.verify)
            try await verified.running.until("it verifies") {
                verified.running.migration.status.snapshot.verify.rowsChecked > 0
            }
            try await verified.steer(.cutOver)
            try await verified.steer(.pause)
            try await verified.running.until("it is paused") {
                verified.running.migration.status.snapshot.condition == .paused
            }
            // The stretch in hand ends, and no other begins.
            try await Task.sleep(for: .milliseconds(300))
            let seen = verified.running.migration.status.snapshot.verify.rowsChecked
            #expect(seen < Int64(Verified.rows), "it was over before it could be paused")
            try await Task.sleep(for: .milliseconds(700))
            #expect(verified.running.migration.status.snapshot.verify.rowsChecked == seen)
            #expect(!(try await verified.status().ready))
            try await verified.steer(.set(.niceRatio, "0"))
            try await verified.steer(.resume)
            let summary = try await verified.running.summary()
            #expect(summary.verify.rowsChecked == Int64(Verified.rows))
            await verified.session.close()
        }

        /// What was verified once is ready when it goes on; what was asked for while nobody ran is done by the next run.
        @Test(arguments: try await Servers.outermost())
        func aResumedRunVerifiesWhenAsked(_ binaries: ServerBinaries) async throws {
            let verified = try await Verified.ready("verify_resume", on: binaries)
            verified.running.cancel()
            _ = await verified.running.failure()
            let second = RunningMigration(Verified.request, verified.database, .quick.manual())
            try await second.until("it holds") { second.migration.status.snapshot.phase == .ready }
            #expect(!second.log.contains("verified "), "\(second.log.all)")
            second.cancel()
            _ = await second.failure()
            #expect(try await verified.status().verify.outcome == .passed)

            #expect(try await Steer(connections: verified.database.options).run(.verify, "item") == nil)
            let third = RunningMigration(Verified.request, verified.database, .quick)
            try await third.summary()
            #expect(third.log.contains("verified 2000 rows in both directions: no difference"), "\(third.log.all)")
            try await Finalize(connections: verified.database.options).run("item")
            await verified.session.close()
        }

        /// Rows have moved, so that the pages that were compared are others.
        @Test(arguments: try await Servers.outermost())
        func aRewriteMeanwhileBeginsItAnew(_ binaries: ServerBinaries) async throws {
            var slow = MigrationOptions.pageByPage
            slow.verification = .off
            let verified = try await Verified.ready("verify_rewrite", on: binaries, options: slow)
            try await verified.session.execute("DELETE FROM item WHERE id % 3 = 0")
            try await verified.steer(.set(.niceRatio, "10"))
            try await verified.steer(.verify)
            try await verified.running.until("it verifies") {
                verified.running.migration.status.snapshot.verify.rowsChecked > 0
            }
            try await verified.session.execute("VACUUM FULL item")
            try await verified.running.until("it has noticed") {
                verified.running.log.contains(
                    "item was rewritten by somebody else: its verification starts anew")
            }
            try await verified.steer(.set(.niceRatio, "0"))
            try await verified.steer(.cutOver)
            let summary = try await verified.running.summary()
            #expect(summary.verify.outcome == .passed && summary.verify.mismatches == 0)
            await verified.session.close()
        }

        /// Whoever locks one of the tables meanwhile is waited for.
        @Test(arguments: try await Servers.outermost(), ["item", "item_green.item"])
        func aTableThatIsLockedIsWaitedFor(_ binaries: ServerBinaries, _ table: String) async throws {
            var slow = MigrationOptions.pageByPage
            slow.verification = .off
            let verified = try await Verified.ready("verify_locked", on: binaries, options: slow)
            try await verified.steer(.set(.niceRatio, "10"))
            try await verified.steer(.verify)
            try await verified.running.until("it verifies") {
                verified.running.migration.status.snapshot.verify.rowsChecked > 0
            }
            let other = try await TestSession(verified.database, "somebody else")
            try await other.execute("BEGIN; LOCK TABLE \(table) IN ACCESS EXCLUSIVE MODE")
            try await verified.running.until("the verification says that it waits") {
                verified.running.log.contains("public.item is locked by somebody else; the verification waits")
            }
            try await other.execute("COMMIT")
            await other.close()
            try await verified.steer(.set(.niceRatio, "0"))
            try await verified.steer(.cutOver)
            let summary = try await verified.running.summary()
            #expect(summary.verify.outcome == .passed && summary.verify.rowsChecked == Int64(Verified.rows))
            await verified.session.close()
        }

        /// Also before the first row is compared.
        @Test(arguments: try await Servers.outermost(), ["item", "item_green.item"])
        func aTableThatIsLockedBeforehandIsWaitedFor(_ binaries: ServerBinaries, _ table: String) async throws {
            let verified = try await Verified.ready("verify_locked_before", on: binaries)
            let other = try await TestSession(verified.database, "somebody else")
            try await other.execute("BEGIN; LOCK TABLE \(table) IN ACCESS EXCLUSIVE MODE")
            try await verified.steer(.verify)
            try await verified.running.until("the verification says that it waits") {
                verified.running.log.contains("public.item is locked by somebody else; the verification waits")
            }
            #expect(verified.running.migration.status.snapshot.verify.rowsChecked == 0)
            try await other.execute("COMMIT")
            await other.close()
            try await verified.finish()
            #expect(verified.running.migration.status.snapshot.verify.outcome == .passed)
        }

        /// A change that is committed and not spooled when its row is compared is awaited, and not taken for a difference.
        @Test(arguments: try await Servers.outermost())
        func theStreamIsDrainedBeforeASuspectIsJudged(_ binaries: ServerBinaries) async throws {
            let verified = try await Verified.ready("verify_drain", on: binaries)
            let gate = try await TestSession(verified.database, "gate")
            try await gate.execute("BEGIN; LOCK TABLE item_green.item IN ACCESS EXCLUSIVE MODE")
            try await verified.steer(.verify)
            try await verified.running.until("the verification waits for the table") {
                try await verified.session.isTrue(
                    "EXISTS (SELECT FROM pg_stat_activity WHERE application_name = 'shadow-alter verify' AND wait_event_type = 'Lock')"
                )
            }
            let spool = try await verified.session.column(
                "SELECT oid::regclass::text FROM pg_class WHERE relname ~ '^spool_.*[0-9]$' AND relkind = 'r'")
            let holder = try await TestSession(verified.database, "holder")
            try await holder.execute("BEGIN; LOCK TABLE \(try #require(spool.first)) IN SHARE MODE")
            try await verified.session.execute("UPDATE item SET value = 'on its way' WHERE id = 8")
            try await verified.session.execute("DELETE FROM item WHERE id = 9")
            try await gate.execute("COMMIT")
            let suspects = spool.map { $0.replacing("spool", with: "suspect") }
            try await verified.running.until("both are suspects") {
                try await verified.session.isTrue("(SELECT count(*) = 2 FROM \(try #require(suspects.first)))")
            }
            // Time for a judgement, if anybody made one now.
            try await Task.sleep(for: .seconds(1))
            try await holder.execute("COMMIT")
            try await verified.running.until("it is over") { try await verified.status().verify.outcome == .passed }
            #expect(try await verified.status().verify.mismatches == 0)
            #expect(!verified.running.log.contains("differs"))
            await holder.close()
            await gate.close()
            try await verified.finish()
        }

        /// Nor is one that is spooled and cannot be refreshed yet, because nobody sees its writer.
        @Test(arguments: try await Servers.outermost())
        func aSuspectWhoseKeyIsSpooledIsNoMismatch(_ binaries: ServerBinaries) async throws {
            let verified = try await Verified.ready("verify_waiting", on: binaries)
            let writer = try await TestSession(verified.database, "writer")
            try await writer.execute("BEGIN")
            let transaction = try await writer.column("SELECT pg_current_xact_id()")
            let spool = try await verified.session.column(
                "SELECT oid::regclass::text FROM pg_class WHERE relname ~ '^spool_.*[0-9]$' AND relkind = 'r'")
            // What a change would have spooled, and the row as it was before.
            try await verified.session.execute(
                """
                INSERT INTO \(try #require(spool.first)) (seq, xid, shadow_alter_k1)
                VALUES (1000000, '\(try #require(transaction.first))', 8);
                UPDATE item_green.item SET value = 'before' WHERE id = 8
                """)
            let verify = try await verified.verify()
            #expect(verify.outcome == .passed && verify.mismatches == 0, "\(verified.running.log.all)")
            #expect(try await verified.session.isTrue("(SELECT value = 'before' FROM item_green.item WHERE id = 8)"))
            try await writer.execute("ROLLBACK")
            try await verified.running.until("it is refreshed") {
                try await verified.session.isTrue("(SELECT value = 'value 8' FROM item_green.item WHERE id = 8)")
            }
            await writer.close()
            try await verified.finish()
        }
    }
}
