import FoundationEssentials
import PgConnection
import ShadowAlter
import Testing
import ThrowawayServer

extension LiveMigrations {
    /// The examples that write to a database, as hooks of a real run.
    @Suite(.serialized, .timeLimit(.minutes(5))) struct HookExampleTests {
        private static let directory = URL(filePath: #filePath).deletingLastPathComponent().deletingLastPathComponent()
            .deletingLastPathComponent().deletingLastPathComponent().appending(path: "Docs/examples/hooks").path

        /// A hook that runs the example with psql and the server of this test.
        private func add(_ name: String, _ variables: [String: String], _ items: Items, to hooks: HookScripts) throws {
            let server = items.database.server
            let all = variables.merging([
                "PGHOST": server.socketDirectory, "PGPORT": "\(server.port)", "PGUSER": "postgres",
            ]) { $1 }
            let exports = all.map { "export \($0.key)='\($0.value)'" }.sorted().joined(separator: "\n")
            try hooks.add(
                name,
                """
                \(exports)
                export PATH='\(server.binaries.binDirectory)':"$PATH"
                exec '\(Self.directory)/\(name)'
                """)
        }

        @Test(arguments: try await Servers.outermost())
        func railsAndFlywayFindTheMigrationApplied(_ binaries: ServerBinaries) async throws {
            let items = try await Items.create("hooks_examples", on: binaries)
            try await items.database.psql(
                """
                CREATE TABLE schema_migrations (version character varying NOT NULL PRIMARY KEY);
                INSERT INTO schema_migrations VALUES ('20250101000000');
                CREATE TABLE flyway_schema_history (
                    installed_rank integer NOT NULL CONSTRAINT flyway_schema_history_pk PRIMARY KEY,
                    version character varying(50), description character varying(200) NOT NULL,
                    type character varying(20) NOT NULL, script character varying(1000) NOT NULL, checksum integer,
                    installed_by character varying(100) NOT NULL,
                    installed_on timestamp without time zone NOT NULL DEFAULT now(),
                    execution_time integer NOT NULL, success boolean NOT NULL);
                CREATE INDEX flyway_schema_history_s_idx ON flyway_schema_history (success);
                INSERT INTO flyway_schema_history VALUES (1, '6', 'before', 'SQL', 'V6__before.sql', 1, 'me', now(), 5, true);
                """)
            let hooks = try HookScripts()
            try hooks.addFile("V7_1__item's_id.sql", "ALTER TABLE item\r\n    ALTER id TYPE bigint;\n")
            try add(
                "on-success-20-rails", ["RAILS_MIGRATION_VERSION": "20260131120000"], items, to: hooks)
            try add(
                "on-success-20-flyway", ["FLYWAY_SCRIPT": hooks.path + "/V7_1__item'\\''s_id.sql"], items, to: hooks)
            try await RunningMigration(Items.plain, items.database, try hooks.options()).summary()
            let flyway = [
                "6|before|SQL|V6__before.sql|1|t",
                // The CRC-32 of "ALTER TABLE item    ALTER id TYPE bigint;".
                "7.1|item's id|SQL|V7_1__item's_id.sql|\(Self.checksum)|t",
            ]
            func history() async throws -> [String] {
                try await items.session.column(
                    "SELECT concat_ws('|', version, description, type, script, checksum, success) FROM flyway_schema_history ORDER BY installed_rank"
                )
            }
            #expect(try await history() == flyway, "\(hooks.log.all)")
            let rails = ["20250101000000", "20260131120000"]
            #expect(
                try await items.session.column("SELECT version FROM schema_migrations ORDER BY 1") == rails,
                "\(hooks.log.all)")
            #expect(!hooks.log.all.contains { $0.hasPrefix("warning") }, "\(hooks.log.all)")
            try await Finalize(connections: items.database.options).run("item")

            // The same hooks once more, after a change that PostgreSQL makes itself.
            let request = MigrationRequest("item", "ADD late int", strategy: .auto)
            try await RunningMigration(request, items.database, try hooks.options()).summary()
            #expect(try await history() == flyway)
            #expect(try await items.session.column("SELECT version FROM schema_migrations ORDER BY 1") == rails)
            #expect(!hooks.log.all.contains { $0.hasPrefix("warning") }, "\(hooks.log.all)")
            hooks.remove()
            await items.close()
        }

        private static let checksum = -1_217_986_384
    }
}
