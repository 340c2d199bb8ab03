import ControlPlane
import PgConnection
import ShadowAlter
import TestSupport
import Testing
import ThrowawayServer

extension LiveMigrations {
    /// What a status costs, and what comes of it when the migration ends meanwhile.
    @Suite(.serialized, .timeLimit(.minutes(5))) struct StatusTests {
        @Test(arguments: try await Servers.outermost())
        func aMigrationThatEndsBetweenTwoQuestionsIsNotFound(_ binaries: ServerBinaries) async throws {
            let items = try await Items.create("status_gone", on: binaries)
            let running = RunningMigration(Items.plain, items.database, .quick.manual())
            try await running.untilReady(items.session)
            running.cancel()
            _ = await running.failure()
            let remover = try await TestSession(items.database, "remover")
            // The reader has found the migration when it comes to this table.
            let spool = try #require(
                try await remover.column(
                    "SELECT c.oid::regclass::text FROM pg_class c WHERE c.relname LIKE 'spool%' AND c.relkind = 'r'"
                ).first)
            try await remover.execute("BEGIN; LOCK TABLE \(spool) IN ACCESS EXCLUSIVE MODE")
            let options = items.database.options
            let reading = Task { try await StatusReader(connections: options).status(of: "item") }
            try await eventually("the reader waits") {
                try await items.session.isTrue(
                    "EXISTS (SELECT FROM pg_locks WHERE relation = '\(spool)'::regclass AND NOT granted)")
            }
            let slots = try await items.session.column(
                "SELECT slot_name FROM pg_replication_slots WHERE slot_name LIKE 'shadow_alter_%' AND database = current_database()"
            )
            try await remover.execute("DROP SCHEMA shadow_alter CASCADE; COMMIT")
            await #expect {
                _ = try await reading.value
            } throws: { error in
                (error as? MigrationError)?.code == .notFound
            }
            for slot in slots { try await items.session.execute("SELECT pg_drop_replication_slot('\(slot)')") }
            await remover.close()
            await items.close()
        }

        /// The spool is not read for those who scrape.
        @Test(arguments: try await Servers.outermost())
        func aScrapeDoesNotReadTheSpool(_ binaries: ServerBinaries) async throws {
            let items = try await Items.create("status_cost", on: binaries)
            let running = RunningMigration(Items.plain, items.database, .quick.manual())
            try await running.untilReady(items.session)
            _ = try await running.migration.control.steer(.pause)
            try await items.session.execute("UPDATE item SET value = 'while it was paused'")
            try await running.until("the spool's keys are in the run's own figure") {
                try await running.migration.control.status().dirtyKeysSpooled > 0
            }
            let spool = try await items.session.column(
                "SELECT c.oid::regclass::text FROM pg_class c WHERE c.relname LIKE 'spool%' AND c.relkind = 'r'")
            #expect(spool.count == 1)
            let holder = try await TestSession(items.database, "holder")
            // The run itself is stopped, and goes on spooling only when something is written.
            try await holder.execute("BEGIN; LOCK TABLE \(try #require(spool.first)) IN ACCESS EXCLUSIVE MODE")
            #expect(try await running.migration.control.status().dirtyKeysSpooled > 0)
            try await holder.execute("ROLLBACK")
            try await running.until("from outside every key is counted") {
                try await StatusReader(connections: items.database.options).status(of: "item").dirtyKeysSpooled
                    == Int64(Items.rows)
            }
            await holder.close()
            _ = try await running.migration.control.steer(.resume)
            _ = try await running.migration.control.steer(.cutOver)
            try await running.summary()
            try await items.expectExact()
            try await items.finish()
        }

        /// What Prometheus makes of a run that is alive.
        @Test(arguments: try await Servers.outermost())
        func prometheusReadsTheMetrics(_ binaries: ServerBinaries) async throws {
            let items = try await Items.create("status_metrics", on: binaries)
            let running = RunningMigration(Items.gated, items.database, .pageByPage.manual())
            try await items.barrier.waitForCopy(running)
            let server = try await MetricsServer.open(
                try #require(ListenAddress("0")), control: running.migration.control)
            let port = try #require(ListenAddress(server.address)).port
            try checkMetrics(port)
            try await items.barrier.openCopy()
            try await running.untilReady(items.session)
            try checkMetrics(port)
            _ = try await running.migration.control.steer(.cutOver)
            try await running.summary()
            await server.close()
            try await items.finish()
        }

        private func checkMetrics(_ port: Int) throws {
            let answer = try RawClient.get(port: port, "/metrics")
            #expect(answer.hasPrefix("HTTP/1.1 200 "))
            // Swift takes a CR LF for one character.
            let body = answer.split(separator: "\r\n\r\n", maxSplits: 1).last ?? ""
            let check = try OtherProgram.checkMetrics(String(body))
            if check.status == 3 { return print("not checked by Prometheus' means: \(check.error)") }
            #expect(check.status == 0, "\(check.output)\(check.error)\n\(answer)")
        }
    }
}
