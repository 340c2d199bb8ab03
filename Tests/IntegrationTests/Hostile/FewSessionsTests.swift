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
                CREATE INDEX ON item (value)
                """)
            try await OrdinaryRole(name: name).create(for: items)
            var said = ""
            var limit = 2
            var summary: MigrationSummary?
            while summary == nil, limit < 20 {
                // Those of the run before take a place until the server has noticed their end.
                try await eventually("no session of the role is left") {
                    try await items.session.isTrue(
                        "NOT EXISTS (SELECT FROM pg_stat_activity WHERE usename = '\(name)')")
                }
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
            try await OrdinaryRole(name: name).drop(with: items)
        }

        /// A role that is no superuser may not ask the server for what lets a slot go on, and goes without it.
        @Test(arguments: try await Servers.outermost())
        func muchRetainedWALOfAnOrdinaryRole(_ binaries: ServerBinaries) async throws {
            let items = try await Items.create("few_rights", on: binaries)
            let role = OrdinaryRole(name: "few_rights_\(binaries.majorVersion)")
            try await role.create(for: items)
            let running = RunningMigration(
                Items.plain, connections: items.database.options(user: role.name), options: .quick.manual())
            try await running.untilReady(items.session)
            var seen: Int64 = 0
            // Each time the run has looked at the slot, and done what it does about it. The server itself lets the slot go on now and then, also
            // between the writing and the look: what is written once may be gone by then.
            for _ in 1...2 {
                try await running.until("the run sees what the slot holds back") {
                    try await items.session.execute(
                        "SELECT pg_logical_emit_message(false, 'other', repeat('x', 1 << 20))")
                    let retained = running.migration.status.snapshot.retainedWAL ?? 0
                    guard retained > 8 << 20, retained != seen else { return false }
                    seen = retained
                    return true
                }
            }
            try await Steer(connections: items.database.options).run(.cutOver, "item")
            try await running.summary()
            try await items.expectExact()
            try await items.finish()
            try await role.drop(with: items)
        }
    }
}

/// The owner of the table, with what `Docs/limits.md` asks for and no more.
private struct OrdinaryRole: Sendable {
    let name: String

    func create(for items: Items) async throws {
        try await items.session.execute(
            """
            DROP ROLE IF EXISTS \(name);
            CREATE ROLE \(name) LOGIN REPLICATION;
            GRANT CREATE ON DATABASE \(items.database.name) TO \(name);
            GRANT USAGE, CREATE ON SCHEMA public TO \(name);
            ALTER TABLE item OWNER TO \(name)
            """)
    }

    func drop(with items: Items) async throws {
        try await items.database.server.psql(
            "DROP DATABASE \(items.database.name) WITH (FORCE); DROP ROLE \(name)")
    }
}
