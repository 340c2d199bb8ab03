import PgConnection
import ShadowAlter
import Synchronization
import Testing
import ThrowawayServer

extension LiveMigrations {
    /// Transactions that last, that write everything, that never end, and clients that never stop.
    @Suite(.serialized, .timeLimit(.minutes(5))) struct HostileTransactionTests {
        /// From the first chunk until the table is ready, writing every row, moving keys, and taking some of it back.
        @Test(arguments: try await Servers.outermost())
        func oneThatIsOpenAcrossTheWholeCopy(_ binaries: ServerBinaries) async throws {
            let items = try await Items.create("hostile_open", on: binaries)
            let running = RunningMigration(Items.gated, items.database, .pageByPage.manual())
            try await items.barrier.waitForCopy(running)
            let long = try await TestSession(items.database, "a long one")
            try await long.execute(
                """
                BEGIN; UPDATE item SET value = 'every row'; SAVEPOINT s; DELETE FROM item WHERE id > 4000; ROLLBACK TO s;
                UPDATE item SET id = id + 1000000 WHERE id % 10 = 0; INSERT INTO item VALUES (-1, 'new', '');
                """)
            try await items.barrier.openCopy()
            try await running.untilReady(items.session)
            #expect(
                try await items.session.isTrue("NOT EXISTS (SELECT FROM item_green.item WHERE value = 'every row')"))
            try await Steer(connections: items.database.options).run(.cutOver, "item")
            try await running.until("the cut-over waits for it") {
                running.migration.status.snapshot.reason?.contains("session \(long.pid) ") ?? false
            }
            try await long.execute("DELETE FROM item WHERE id = 17; COMMIT")
            try await running.summary()
            try await items.expectExact()
            #expect(
                try await items.session.isTrue(
                    "(SELECT count(*) FROM item WHERE value = 'every row') = \(Items.rows - 1)"))
            await long.close()
            try await items.finish()
        }

        /// Prepared before, committed after: it is waited for by its name, and what it wrote is there.
        @Test(arguments: try await Servers.outermost())
        func oneThatIsPrepared(_ binaries: ServerBinaries) async throws {
            let server = try await ThrowawayServer.start(binaries, settings: ["max_prepared_transactions": "5"])
            let items = try await Items.create("hostile_prepared", in: server)
            let preparer = try await TestSession(items.database, "preparer")
            let running = RunningMigration(Items.gated, items.database, .pageByPage.manual())
            try await items.barrier.waitForCopy(running)
            try await preparer.execute(
                "BEGIN; UPDATE item SET value = 'half done' WHERE id % 3 = 0; DELETE FROM item WHERE id = 1; PREPARE TRANSACTION 'during the copy'"
            )
            try await items.barrier.openCopy()
            try await running.untilReady(items.session)
            try await preparer.execute(
                "BEGIN; UPDATE item SET value = 'second' WHERE id % 3 = 1 AND id <> 1; PREPARE TRANSACTION 'while it was ready'"
            )
            try await Steer(connections: items.database.options).run(.cutOver, "item")
            for name in ["during the copy", "while it was ready"] {
                try await running.until("the cut-over waits for \(name)") {
                    try await StatusReader(connections: items.database.options).status(of: "item").blockers
                        .contains { $0.pid == nil && $0.state == name }
                }
                try await preparer.execute("COMMIT PREPARED '\(name)'")
            }
            try await running.summary()
            try await items.expectExact()
            #expect(
                try await items.session.isTrue(
                    "(SELECT count(*) FROM item WHERE value = 'half done') = \(Items.rows / 3)"))
            await preparer.close()
            try await items.finish()
            try await server.stop()
        }

        /// Clients that update the same few rows without a pause, during everything and in the queue behind the lock. Each acknowledged
        /// update counts once, and nobody is told anything but that it was done.
        @Test(arguments: try await Servers.outermost())
        func hundredsOfClientsOnHotRows(_ binaries: ServerBinaries) async throws {
            let clients = 200
            let server = try await ThrowawayServer.start(binaries, settings: ["max_connections": "\(clients + 50)"])
            let items = try await Items.create("hostile_queue", in: server)
            try await items.session.execute("ALTER TABLE item ADD n bigint NOT NULL DEFAULT 0")
            var options = MigrationOptions.quick.manual()
            // On a machine with two cores, with two hundred clients on them.
            options.cutOverBudget = .seconds(10)
            options.lockTimeout = .seconds(5)
            let running = RunningMigration(Items.plain, items.database, options)
            let isOver = EndFlag()
            let acknowledged = Tally()
            try await withThrowingTaskGroup(of: Void.self) { group in
                for client in 0..<clients {
                    group.addTask {
                        let session = try await TestSession(items.database, "client \(client)")
                        let row = 1 + client % 5
                        while !isOver.isSet {
                            try await session.execute("UPDATE item SET n = n + 1 WHERE id = \(row)")
                            acknowledged.count(row)
                            if client >= 5 { try await Task.sleep(for: .milliseconds(200)) }
                        }
                        await session.close()
                    }
                }
                group.addTask {
                    defer { isOver.set() }
                    try await running.untilReady(items.session)
                    try await Steer(connections: items.database.options).run(.cutOver, "item")
                    try await running.summary()
                    let then = acknowledged.all
                    try await eventually("the clients go on with the new table") {
                        acknowledged.all > then + clients
                    }
                }
                try await group.waitForAll()
            }
            for (row, count) in acknowledged.byRow {
                #expect(try await items.session.value("SELECT n FROM item WHERE id = \(row)", as: Int.self) == count)
            }
            let all = acknowledged.all
            let cutOver = running.migration.status.snapshot.cutOver
            print(
                "\(binaries): \(all) updates by \(clients) clients, \(cutOver.attempts) attempt(s), lock held \(cutOver.lastHoldMs ?? 0) ms"
            )
            try await items.finish()
            try await server.stop()
        }

        /// It yields to nobody, and is named.
        @Test(arguments: try await Servers.outermost())
        func autovacuumAgainstWraparound(_ binaries: ServerBinaries) async throws {
            let server = try await ThrowawayServer.start(
                binaries,
                settings: [
                    "autovacuum_naptime": "1s", "autovacuum_freeze_max_age": "100000",
                    "autovacuum_vacuum_cost_delay": "100ms",
                    "autovacuum_vacuum_cost_limit": "1", "autovacuum_multixact_freeze_max_age": "10000",
                ])
            let items = try await Items.create("hostile_wraparound", in: server)
            let running = RunningMigration(Items.plain, items.database, .quick.manual())
            try await running.untilReady(items.session)
            // Transaction numbers beyond the limit, also for tables without autovacuum.
            try await items.database.psql(
                """
                CREATE PROCEDURE use_numbers(n int) LANGUAGE plpgsql AS
                    'BEGIN FOR i IN 1..n LOOP PERFORM pg_current_xact_id(); COMMIT; END LOOP; END';
                SET synchronous_commit = off; CALL use_numbers(110000);
                """)
            let worker = """
                EXISTS (SELECT FROM pg_stat_activity a JOIN pg_locks l USING (pid) WHERE a.backend_type = 'autovacuum worker'
                    AND a.query LIKE '%public.item (to prevent wraparound)%' AND l.relation = 'item'::regclass AND l.granted)
                """
            try await running.until("autovacuum is at work against wraparound") {
                try await items.session.isTrue(worker)
            }
            try await Steer(connections: items.database.options).run(.cutOver, "item")
            try await running.until("it is named") {
                running.migration.status.snapshot.reason?.contains("autovacuum worker") ?? false
            }
            // The application does not wait meanwhile.
            try await items.session.execute("UPDATE item SET value = 'meanwhile' WHERE id = 4")
            try await items.session.execute("ALTER SYSTEM SET autovacuum_vacuum_cost_delay = 0")
            try await items.session.execute("ALTER SYSTEM SET autovacuum_vacuum_cost_limit = 10000")
            try await items.session.execute("SELECT pg_reload_conf()")
            try await running.summary()
            try await items.expectExact()
            try await items.finish()
            try await server.stop()
        }
    }
}

/// Acknowledged updates by row.
private final class Tally: Sendable {
    private let counts = Mutex<[Int: Int]>([:])

    func count(_ row: Int) { counts.withLock { $0[row, default: 0] += 1 } }
    var byRow: [Int: Int] { counts.withLock { $0 } }
    var all: Int { byRow.values.reduce(0, +) }
}
