import PgConnection
import ShadowAlter
import Testing
import ThrowawayServer

extension LiveMigrations {
    /// What is secret in a change, or in an option, is neither logged nor thrown.
    @Suite(.serialized, .timeLimit(.minutes(5))) struct SecretsTests {
        private static let secret = "tr0ub4dor&3"

        private func expectNone(_ running: RunningMigration, _ error: (any Error)? = nil) {
            #expect(!running.log.all.joined().contains(Self.secret), "\(running.log.all)")
            if let error { #expect(!"\(error)".contains(Self.secret), "\(error)") }
        }

        private func request(_ clauses: String) -> MigrationRequest { MigrationRequest("item", clauses) }

        @Test(arguments: try await Servers.outermost())
        func aRunThatSucceedsAndOneThatMeetsItAgain(_ binaries: ServerBinaries) async throws {
            let items = try await Items.create("secret_run", on: binaries)
            let change = request(
                "ALTER id TYPE bigint USING id + length('\(Self.secret)') - \(Self.secret.count), ADD c text DEFAULT '\(Self.secret)'"
            )
            var options = MigrationOptions.quick.manual()
            options.throttleQuery = "SELECT length('\(Self.secret)') < 0"
            let running = RunningMigration(change, items.database, options)
            try await running.untilReady(items.session)
            _ = try await running.migration.control.steer(
                .set(.throttleQuery, "SELECT length('\(Self.secret)') < 1"))
            _ = try await running.migration.control.steer(
                .set(.maximumLoad, "SELECT length('\(Self.secret)')<=1"))
            try await running.until("it is throttled") {
                running.migration.status.snapshot.currentReason?.contains("the limit is") == true
            }
            #expect(running.log.contains("throttle-query is SELECT length('…') < 1"))
            _ = try await running.migration.control.steer(.set(.maximumLoad, ""))
            // Nor does an error quote it.
            _ = try await running.migration.control.steer(.set(.throttleQuery, "SELECT '\(Self.secret)'::int"))
            try await running.until("the query cannot be asked") {
                running.migration.status.snapshot.currentReason?.contains("input syntax for type integer: \"…\"")
                    == true
            }
            // It would hold for the later runs.
            _ = try await running.migration.control.steer(.set(.throttleQuery, ""))
            // Another change under the same name is told what the first one is.
            running.cancel()
            expectNone(running, await running.failure())
            let other = RunningMigration(request("ADD d int"), items.database)
            let conflict = try #require(await other.failure())
            #expect("\(conflict)".contains("ADD c text DEFAULT '…'"), "\(conflict)")
            expectNone(other, conflict)
            let second = RunningMigration(change, items.database)
            try await second.summary()
            expectNone(second)
            try await items.finish()
        }

        /// PostgreSQL quotes the statement in its messages and in their context.
        @Test(
            arguments: try await Servers.outermost(),
            [
                "ADD c int DEFAULT '\(secret)'",
                "ADD c text DEFAULT '\(secret)' nonsense",
                "ADD c text '\(secret)'",
                "ALTER value TYPE text USING fails('\(secret)')",
                "ALTER value TYPE text USING quotes('\(secret)')",
                "ALTER value TYPE int USING (value || '\(secret)')::int",
            ])
        func aRunThatFails(_ binaries: ServerBinaries, _ clauses: String) async throws {
            let items = try await Items.create("secret_failure", on: binaries)
            try await items.session.execute(
                """
                CREATE FUNCTION fails(t text) RETURNS text LANGUAGE plpgsql AS $$BEGIN RAISE EXCEPTION 'no: %', t; END$$;
                CREATE FUNCTION quotes(t text) RETURNS text LANGUAGE plpgsql AS
                    $$DECLARE r text; BEGIN EXECUTE format('SELECT %L || nowhere', t) INTO r; RETURN r; END$$;
                """)
            let running = RunningMigration(request(clauses), items.database)
            let error = try #require(await running.failure())
            expectNone(running, error)
            if try await items.session.isTrue("to_regclass('shadow_alter.migration') IS NOT NULL") {
                try await Abort(connections: items.database.options, log: running.log.logger()).run("item")
            }
            try await Remains(session: items.session).expectNothing()
            await items.close()
        }
    }
}
