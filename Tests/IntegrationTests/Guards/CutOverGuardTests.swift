import PgConnection
import ShadowAlter
import Testing
import ThrowawayServer

extension LiveMigrations {
    /// What keeps the exchange exact, and harmless for those who use the table. Each of these fails when its guard is taken out.
    @Suite(.serialized, .timeLimit(.minutes(5))) struct CutOverGuardTests {
        /// A write that commits while the lock is being waited for is in the stream later than everything that was drained before. The
        /// spool is held so that only a drain under the lock can have it.
        @Test(arguments: try await Servers.outermost())
        func theStreamIsDrainedUnderTheLock(_ binaries: ServerBinaries) async throws {
            let items = try await Items.create("guard_drain", on: binaries)
            var options = MigrationOptions.quick.manual()
            options.lockTimeout = .seconds(100)
            options.cutOverBudget = .seconds(100)
            let running = RunningMigration(Items.plain, items.database, options)
            try await running.untilReady(items.session)

            let writer = try await TestSession(items.database, "writer")
            try await writer.execute("BEGIN; UPDATE item SET value = 'at the last moment' WHERE id < 1000")
            try await Steer(connections: items.database.options).run(.cutOver, "item")
            try await running.until("the cut-over waits for its lock") {
                try await items.waitsForAccessExclusive(items.session, applicationName: "shadow-alter cut-over")
            }
            let spool = try await items.session.column(
                "SELECT oid::regclass::text FROM pg_class WHERE relname ~ '^spool_.*[0-9]$' AND relkind = 'r'")
            let holder = try await TestSession(items.database, "holder")
            try await holder.execute("BEGIN; LOCK TABLE \(try #require(spool.first)) IN SHARE MODE")
            try await writer.execute("COMMIT")
            try await running.until("the spooler waits with the write, or the tables are exchanged") {
                try await items.session.isTrue(
                    """
                    EXISTS (SELECT FROM pg_stat_activity WHERE application_name = 'shadow-alter spool' AND wait_event_type = 'Lock')
                    """)
            }
            #expect(try await items.session.isTrue("to_regclass('item_green.item') IS NOT NULL"))
            try await holder.execute("COMMIT")
            try await running.summary()
            try await items.expectExact()
            #expect(
                try await items.session.isTrue("(SELECT count(*) FROM item WHERE value = 'at the last moment') = 999"))
            await writer.close()
            await holder.close()
            try await items.finish()
        }

        /// A waiting request for ACCESS EXCLUSIVE makes everybody wait who comes after it.
        @Test(arguments: try await Servers.outermost())
        func noLockIsAskedForWhileSomebodyIsInTheWay(_ binaries: ServerBinaries) async throws {
            let items = try await Items.create("guard_look", on: binaries)
            var options = MigrationOptions.quick.manual()
            options.lockTimeout = .milliseconds(100)
            let running = RunningMigration(Items.plain, items.database, options)
            try await running.untilReady(items.session)
            let idle = try await TestSession(items.database, "idler")
            try await idle.execute("BEGIN; SELECT count(*) FROM item")
            try await running.until("the transaction is older than an attempt's patience") {
                try await items.session.isTrue(
                    "(SELECT clock_timestamp() - xact_start > '1 s' FROM pg_stat_activity WHERE pid = \(idle.pid))")
            }
            try await Steer(connections: items.database.options).run(.cutOver, "item")
            var requests = 0
            // Three rounds of looking around, as many as it takes for the state table to tell and to go on telling.
            for value in 1...3 {
                try await items.session.execute("UPDATE item SET value = 'round \(value)' WHERE id = 1")
                try await running.until("round \(value)") {
                    if try await items.session.isTrue(
                        """
                        EXISTS (SELECT FROM pg_locks l JOIN pg_stat_activity a USING (pid)
                                WHERE l.relation = 'item'::regclass AND l.mode = 'AccessExclusiveLock'
                                    AND a.application_name LIKE 'shadow-alter%')
                        """)
                    {
                        requests += 1
                    }
                    let reason = running.migration.status.snapshot.reason ?? ""
                    guard reason.contains("session \(idle.pid) ") else { return false }
                    return try await items.session.isTrue(
                        "EXISTS (SELECT FROM item_green.item WHERE id = 1 AND value = 'round \(value)')")
                }
            }
            #expect(requests == 0)
            #expect(running.migration.status.snapshot.cutOver.attempts == 0)
            let status = try await StatusReader(connections: items.database.options).status(of: "item")
            #expect(status.message.contains("session \(idle.pid) "), "\(status.message)")
            #expect(status.message.contains("idle in transaction"), "\(status.message)")
            try await idle.execute("COMMIT")
            try await running.summary()
            try await items.expectExact()
            await idle.close()
            try await items.finish()
        }

        /// A snapshot from before the copy sees none of the copied rows: exchanged now, the table would be empty for it.
        @Test(arguments: try await Servers.outermost())
        func oldSnapshotsAreWaitedFor(_ binaries: ServerBinaries) async throws {
            let items = try await Items.create("guard_snapshot", on: binaries)
            let reader = try await TestSession(items.database, "old reader")
            try await reader.execute("BEGIN ISOLATION LEVEL REPEATABLE READ; SELECT * FROM other")
            let running = RunningMigration(Items.plain, items.database)
            try await running.until("the cut-over waits for the old snapshot, or did not") {
                let reason = running.migration.status.snapshot.reason ?? ""
                return reason.contains("session \(reader.pid) ") && reason.contains("snapshot from before")
            }
            #expect(try await reader.value("SELECT count(*) FROM item", as: Int.self) == Items.rows)
            try await reader.execute("COMMIT")
            try await running.summary()
            #expect(try await reader.value("SELECT count(*) FROM item", as: Int.self) == Items.rows)
            try await items.expectExact()
            await reader.close()
            try await items.finish()
        }

        /// Makes each statement of an exchange that an event trigger sees take so long.
        private static func brake(seconds: Double) -> String {
            """
            CREATE TABLE brake (is_on boolean);
            INSERT INTO brake VALUES (true);
            CREATE FUNCTION brake() RETURNS event_trigger LANGUAGE plpgsql AS $$
            BEGIN
                IF current_setting('application_name') = 'shadow-alter cut-over' AND (SELECT is_on FROM public.brake) THEN
                    PERFORM pg_sleep(\(seconds));
                END IF;
            END $$;
            CREATE EVENT TRIGGER brake ON ddl_command_end EXECUTE FUNCTION brake();
            """
        }

        /// One statement that takes too long is ended by the server, which nobody has to tell.
        @Test(arguments: try await Servers.outermost())
        func aStatementBeyondTheBudgetIsEnded(_ binaries: ServerBinaries) async throws {
            let items = try await Items.create("guard_statement", on: binaries)
            try await items.database.psql(Self.brake(seconds: 20))
            let running = RunningMigration(Items.plain, items.database, .quick)
            try await running.until("an attempt is given up") {
                running.migration.status.snapshot.cutOver.lastError != nil
            }
            #expect(
                running.migration.status.snapshot.cutOver.lastError == "a statement took longer than the budget")
            try await items.session.execute("UPDATE brake SET is_on = false")
            try await running.summary()
            try await items.expectExact()
            try await items.session.execute("DROP EVENT TRIGGER brake")
            try await items.finish()
        }

        /// An attempt that takes too long lets everybody go on, and the next one may succeed.
        @Test(arguments: try await Servers.outermost())
        func anAttemptBeyondItsBudgetIsRolledBack(_ binaries: ServerBinaries) async throws {
            let items = try await Items.create("guard_budget", on: binaries)
            // Makes each of the exchange's statements slow, but none of them slower than the budget.
            try await items.database.psql(Self.brake(seconds: 0.6))
            var options = MigrationOptions.quick
            options.cutOverBudget = .seconds(1)
            let running = RunningMigration(Items.plain, items.database, options)
            try await running.until("an attempt is over its budget") {
                running.migration.status.snapshot.cutOver.lastError?.contains("longer than its budget of 1000 ms")
                    ?? false
            }
            #expect(try await items.session.isTrue("to_regclass('item_green.item') IS NOT NULL"))
            try await items.session.execute("UPDATE item SET value = 'between two attempts' WHERE id = 1")
            try await items.session.execute("UPDATE brake SET is_on = false")
            let summary = try await running.summary()
            #expect(summary.cutOver.attempts >= 2)
            try await items.expectExact()
            #expect(try await items.session.isTrue("(SELECT value FROM item WHERE id = 1) = 'between two attempts'"))
            try await items.session.execute("DROP EVENT TRIGGER brake")
            try await items.finish()
        }
    }
}
