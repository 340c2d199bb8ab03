import PgConnection
import ShadowAlter
import Testing
import ThrowawayServer

extension LiveMigrations {
    /// Who is in the way of the cut-over is named, and ended only when that is asked for and allowed.
    @Suite(.serialized, .timeLimit(.minutes(5))) struct BlockerTests {
        /// An application of an ordinary role that reads the table in a transaction, and stays in it.
        private struct Application {
            let session: TestSession

            static func create(_ items: Items, role: String, attributes: String = "") async throws -> Self {
                try await items.session.execute(
                    """
                    DROP ROLE IF EXISTS \(role); CREATE ROLE \(role) LOGIN \(attributes);
                    GRANT SELECT ON item TO \(role)
                    """)
                return Self(session: try await TestSession(items.database, "reports", user: role))
            }

            func stay() async throws {
                try await session.execute("BEGIN; SELECT count(*) FROM item")
            }
        }

        private func options() -> MigrationOptions {
            var options = MigrationOptions.quick.manual()
            options.lockTimeout = .milliseconds(50)
            return options
        }

        private func isGone(_ pid: Int32, _ items: Items) async throws -> Bool {
            try await items.session.isTrue("NOT EXISTS (SELECT FROM pg_stat_activity WHERE pid = \(pid))")
        }

        private func drop(_ roles: [String], _ items: Items) async throws {
            for role in roles { try await items.database.psql("DROP OWNED BY \(role); DROP ROLE \(role)") }
        }

        @Test(arguments: try await Servers.outermost())
        func theyAreNamedInTheStatusAndInTheLog(_ binaries: ServerBinaries) async throws {
            let items = try await Items.create("blockers_named", on: binaries)
            let application = try await Application.create(items, role: "blocker_reader")
            let running = RunningMigration(Items.plain, items.database, options())
            try await running.untilReady(items.session)
            let reader = StatusReader(connections: items.database.options)
            #expect(try await reader.status(of: "item").blockers.isEmpty)
            try await application.stay()
            var found: [Blocker] = []
            // Before anybody asks for the cut-over.
            try await running.until("the status names who would be in the way") {
                found = try await reader.status(of: "item").blockers
                return !found.isEmpty
            }
            let blocker = try #require(found.first)
            #expect(found.count == 1)
            #expect(blocker.pid == application.session.pid)
            #expect(blocker.user == "blocker_reader")
            #expect(blocker.application == "reports")
            #expect(blocker.state == "idle in transaction")
            #expect(blocker.holds.contains("AccessShareLock on item"), "\(blocker.holds)")
            #expect(blocker.queryStart != nil && blocker.transactionStart != nil)
            #expect(blocker.transactionSeconds > 0)
            #expect(blocker.protection == nil)
            #expect(try await running.migration.control.status().blockers.map(\.pid) == [application.session.pid])
            try await Steer(connections: items.database.options).run(.cutOver, "item")
            try await running.until("the log names it") {
                running.log.contains("the cut-over waits: session \(application.session.pid) (blocker_reader, reports,")
            }
            #expect(running.migration.status.snapshot.cutOver.attempts == 0)
            try await application.session.execute("COMMIT")
            try await running.summary()
            await application.session.close()
            try await items.expectExact()
            try await drop(["blocker_reader"], items)
            try await items.finish()
        }

        @Test(arguments: try await Servers.outermost())
        func theyAreEndedWhenItIsAskedFor(_ binaries: ServerBinaries) async throws {
            let items = try await Items.create("blockers_ended", on: binaries)
            let application = try await Application.create(items, role: "blocker_idle")
            let running = RunningMigration(Items.plain, items.database, options())
            try await running.untilReady(items.session)
            try await application.stay()
            try await Steer(connections: items.database.options).run(.cutOver, "item")
            try await running.until("it is waited for") {
                running.migration.status.snapshot.reason?.contains("session \(application.session.pid) ") == true
            }
            #expect(try await !isGone(application.session.pid, items))
            // While it runs, as somebody at three in the morning would.
            _ = try await running.migration.control.steer(.set(.terminateBlockers, "after=100ms"))
            try await running.summary()
            #expect(try await isGone(application.session.pid, items))
            #expect(
                running.log.contains(
                    "ended a session because of --terminate-blockers: session \(application.session.pid)"))
            try await items.expectExact()
            try await drop(["blocker_idle"], items)
            try await items.finish()
        }

        /// A superuser's session, one that works while only idle ones are meant, and a prepared transaction.
        @Test(arguments: try await Servers.outermost())
        func someAreNeverEnded(_ binaries: ServerBinaries) async throws {
            let server = try await ThrowawayServer.start(binaries, settings: ["max_prepared_transactions": "5"])
            let items = try await Items.create("blockers_protected", in: server)
            let superuser = try await Application.create(items, role: "blocker_super", attributes: "SUPERUSER")
            let worker = try await Application.create(items, role: "blocker_worker")
            let idler = try await Application.create(items, role: "blocker_idler")
            try await items.session.execute("GRANT UPDATE ON item TO blocker_worker")
            let preparer = try await TestSession(items.database, "preparer")
            var options = options()
            options.blockerTermination = BlockerTermination("after=1ms,idle-in-transaction-only")
            let running = RunningMigration(Items.plain, items.database, options)
            try await running.untilReady(items.session)
            try await superuser.stay()
            try await worker.stay()
            try await idler.stay()
            try await preparer.execute("BEGIN; SELECT count(*) FROM item; PREPARE TRANSACTION 'half done'")
            let working = Task { try await worker.session.execute("SELECT pg_sleep(100)") }
            try await running.until("it works") {
                try await items.session.isTrue(
                    "(SELECT state = 'active' FROM pg_stat_activity WHERE pid = \(worker.session.pid))")
            }
            try await Steer(connections: items.database.options).run(.cutOver, "item")
            try await running.until("the idle one is ended") { try await isGone(idler.session.pid, items) }
            let reader = StatusReader(connections: items.database.options)
            // A few rounds of looking around.
            for value in 1...3 {
                try await items.session.execute("UPDATE item SET value = 'round \(value)' WHERE id = 1")
                try await running.until("round \(value)") {
                    try await items.session.isTrue(
                        "EXISTS (SELECT FROM item_green.item WHERE id = 1 AND value = 'round \(value)')")
                }
            }
            let left = try await reader.status(of: "item").blockers
            #expect(Set(left.map(\.pid)) == [superuser.session.pid, worker.session.pid, nil])
            #expect(left.first { $0.pid == superuser.session.pid }?.protection == "it is a superuser's")
            #expect(left.first { $0.pid == nil }?.state == "half done")
            #expect(left.first { $0.pid == nil }?.protection?.contains("prepared transaction") == true)
            // Now those that work as well.
            _ = try await running.migration.control.steer(.set(.terminateBlockers, "after=1ms"))
            try await running.until("the working one is ended") { try await isGone(worker.session.pid, items) }
            await #expect(throws: PgError.self) { try await working.value }
            #expect(try await !isGone(superuser.session.pid, items))
            try await superuser.session.execute("COMMIT")
            try await items.session.execute("ROLLBACK PREPARED 'half done'")
            try await running.summary()
            try await items.expectExact()
            for session in [superuser.session, preparer, worker.session, idler.session] { await session.close() }
            try await items.finish()
            try await server.stop()
        }

        /// A snapshot is waited for whether or not we may see when it was taken: our role is no member of `pg_read_all_stats`, or nobody may.
        @Test(arguments: try await Servers.outermost(), ["privilege", "track_activities"])
        func anOldSnapshotThatHidesIsWaitedFor(_ binaries: ServerBinaries, _ why: String) async throws {
            let items = try await Items.create("blockers_hidden", on: binaries)
            let roles = ["hidden_migrator", "hidden_reader"]
            try await items.session.execute(
                """
                DROP ROLE IF EXISTS hidden_migrator, hidden_reader;
                CREATE ROLE hidden_migrator LOGIN REPLICATION; CREATE ROLE hidden_reader LOGIN;
                ALTER TABLE item OWNER TO hidden_migrator; ALTER SCHEMA public OWNER TO hidden_migrator;
                GRANT CREATE ON DATABASE blockers_hidden TO hidden_migrator; GRANT SELECT ON item, other TO hidden_reader
                """)
            if why == "track_activities" {
                try await items.session.execute(
                    "GRANT pg_read_all_stats TO hidden_migrator; ALTER ROLE hidden_reader SET track_activities = off")
            }
            let reader = try await TestSession(items.database, "pg_dump", user: "hidden_reader")
            try await reader.execute("BEGIN ISOLATION LEVEL REPEATABLE READ; SELECT count(*) FROM other")
            let running = RunningMigration(
                Items.plain, connections: items.database.options(user: "hidden_migrator"), options: .quick)
            try await running.until("it says that it waits") {
                running.log.contains("session \(reader.pid) (hidden_reader")
                    && running.log.contains("may have a snapshot from before the new table was complete")
            }
            #expect(try await reader.column("SELECT count(*) FROM item") == ["\(Items.rows)"])
            #expect(running.migration.status.snapshot.cutOver.attempts == 0)
            // What came later sees everything.
            let later = try await TestSession(items.database, "later", user: "hidden_reader")
            try await later.execute("BEGIN ISOLATION LEVEL REPEATABLE READ; SELECT count(*) FROM other")
            try await reader.execute("COMMIT")
            try await running.summary()
            #expect(try await later.column("SELECT count(*) FROM item") == ["\(Items.rows)"])
            for session in [reader, later] { await session.close() }
            try await items.expectExact()
            try await items.session.execute(
                """
                ALTER TABLE item OWNER TO CURRENT_USER; ALTER TABLE item_blue.item OWNER TO CURRENT_USER;
                ALTER SCHEMA public OWNER TO CURRENT_USER; ALTER SCHEMA item_blue OWNER TO CURRENT_USER
                """)
            try await items.finish()
            try await drop(roles, items)
        }

        /// PostgreSQL's own rule about who may end whom holds.
        @Test(arguments: try await Servers.outermost())
        func whoMayNotBeEndedByUsIsWaitedFor(_ binaries: ServerBinaries) async throws {
            let items = try await Items.create("blockers_privilege", on: binaries)
            try await items.session.execute(
                """
                DROP ROLE IF EXISTS blocker_migrator; CREATE ROLE blocker_migrator LOGIN REPLICATION IN ROLE pg_read_all_stats;
                ALTER TABLE item OWNER TO blocker_migrator; ALTER SCHEMA public OWNER TO blocker_migrator;
                GRANT CREATE ON DATABASE blockers_privilege TO blocker_migrator
                """)
            let application = try await Application.create(items, role: "blocker_other")
            var options = options()
            options.blockerTermination = BlockerTermination("after=1ms")
            let running = RunningMigration(
                Items.plain, connections: items.database.options(user: "blocker_migrator"), options: options)
            try await running.untilReady(items.session)
            try await application.stay()
            try await Steer(connections: items.database.options).run(.cutOver, "item")
            try await running.until("it says that it may not") {
                running.log.contains("may not end session \(application.session.pid)")
            }
            try await application.session.execute("COMMIT")
            try await running.summary()
            await application.session.close()
            try await items.expectExact()
            try await items.session.execute(
                """
                ALTER TABLE item OWNER TO CURRENT_USER; ALTER TABLE item_blue.item OWNER TO CURRENT_USER;
                ALTER SCHEMA public OWNER TO CURRENT_USER; ALTER SCHEMA item_blue OWNER TO CURRENT_USER
                """)
            try await items.finish()
            try await drop(["blocker_migrator", "blocker_other"], items)
        }
    }
}
