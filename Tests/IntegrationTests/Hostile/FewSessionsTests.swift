import PgConnection
import Testing
import ThrowawayServer

@testable import ShadowAlter

extension LiveMigrations {
    /// A server, or a role, that has no place for all the sessions that a run would like to have.
    @Suite(.serialized, .timeLimit(.minutes(5))) struct FewSessionsTests {
        /// With one place more each time the same command comes further, and at last to its end, with one session for what several could do.
        @Test(arguments: try await Servers.outermost())
        func theOthersGoOn(_ binaries: ServerBinaries) async throws {
            let items = try await Items.create("few_sessions", on: binaries)
            let name = "few_\(binaries.majorVersion)"
            // Enough pages for a second lane everywhere, and two indexes.
            try await items.session.execute(
                """
                INSERT INTO item SELECT n, 'value ' || n, repeat(md5(n::text), 4) FROM generate_series(5001, 60000) n;
                CREATE INDEX ON item (value);
                DROP ROLE IF EXISTS \(name);
                CREATE ROLE \(name) LOGIN REPLICATION;
                GRANT CREATE ON DATABASE few_sessions TO \(name);
                GRANT USAGE, CREATE ON SCHEMA public TO \(name);
                ALTER TABLE item OWNER TO \(name)
                """)
            var said = ""
            var limit = 2
            var summary: MigrationSummary?
            while summary == nil, limit < 20 {
                try await items.session.execute("ALTER ROLE \(name) CONNECTION LIMIT \(limit)")
                let running = RunningMigration(
                    Items.plain, connections: items.database.options(user: name), options: .quick)
                do {
                    summary = try await running.summary()
                } catch {
                    let text = "\(error)"
                    #expect(text.contains("too many connections for role"), "\(text)")
                }
                said += running.log.all.joined(separator: "\n")
                limit += 1
            }
            #expect(summary?.verify.rowsChecked ?? 0 >= 60_000)
            for work in ["copy", "index", "verify"] {
                #expect(said.contains("lane 2 of the work of \(work) cannot connect, the others go on without it"))
            }
            try await items.expectExact()
            try await items.finish()
            try await items.database.server.psql("DROP DATABASE few_sessions WITH (FORCE); DROP ROLE \(name)")
        }
    }
}
