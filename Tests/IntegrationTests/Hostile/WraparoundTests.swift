import PgConnection
import ShadowAlter
import Testing
import ThrowawayServer

extension LiveMigrations {
    /// A vacuum that nobody may end.
    @Suite(.serialized, .timeLimit(.minutes(5))) struct WraparoundTests {
        /// It yields to nobody, and is named.
        @Test(arguments: try await Servers.outermost())
        func autovacuumAgainstWraparound(_ binaries: ServerBinaries) async throws {
            let server = try await ThrowawayServer.start(
                binaries,
                settings: [
                    "autovacuum_naptime": "1s", "autovacuum_freeze_max_age": "100000",
                    "autovacuum_multixact_freeze_max_age": "10000",
                ])
            let items = try await Items.create("hostile_wraparound", in: server)
            // A hundred pages, and a nap of four times this after each, in milliseconds.
            try await items.session.execute(
                "ALTER TABLE item SET (autovacuum_vacuum_cost_delay = 25, autovacuum_vacuum_cost_limit = 1)")
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
            try await running.summary()
            try await items.expectExact()
            try await items.finish()
            try await server.stop()
        }
    }
}
