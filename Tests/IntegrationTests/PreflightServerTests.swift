import PgConnection
import Testing
import ThrowawayServer

@testable import ShadowAlter

extension PreflightTests {
    /// What the server, the role or another migration stands in the way of.
    struct Server {
        @Test(arguments: [(130_022, "server-too-old"), (140_000, nil), (189_999, nil), (190_000, "server-too-new")])
        func version(number: Int, code: String?) throws {
            let refusal = VersionCheck.refusal(for: ServerVersion(rawValue: number))
            #expect(refusal?.code == code)
            #expect(refusal.map { $0.why.contains("14 to 18") } ?? true)
        }

        /// A server that is set up for none of it, and whose only slot and walsender are taken.
        @Test func settings() async throws {
            for binaries in try await Servers.all() {
                let server = try await ThrowawayServer.start(
                    binaries,
                    settings: [
                        "wal_level": "replica", "max_replication_slots": "1", "max_wal_senders": "1",
                        "autovacuum": "off",
                    ])
                let database = PreflightDatabase(server: server, name: "postgres")
                let control = try await database.connect()
                try await control.execute("CREATE TABLE t (id int PRIMARY KEY)")
                let only = try await database.refusals("t", control)
                #expect(only.map(\.code) == ["wal-level"])
                #expect(only.map(\.fix).first?.contains("ALTER SYSTEM SET wal_level = 'logical';") == true)
                try await control.query("SELECT pg_create_physical_replication_slot('standby')")
                var replication = server.options
                replication.isReplication = true
                let sender = try await PgConnection.connect(replication)
                let all = try await database.refusals("t", control)
                #expect(all.map(\.code) == ["wal-level", "no-free-slot", "no-free-walsender"])
                #expect(all.map(\.object) == ["wal_level", "max_replication_slots", "max_wal_senders"])
                #expect(all.contains { $0.fix.contains("unused now: standby") })
                await sender.close()
                await control.close()
                try await server.stop(.immediate)
            }
        }

        /// What newer minor versions have, for superusers as well: refused beforehand where the server would refuse the slot, and nowhere else.
        @Test func outputPlugins() async throws {
            for binaries in try await Servers.all() {
                let server = try await ThrowawayServer.start(binaries, settings: ["autovacuum": "off"])
                try await server.psql("CREATE TABLE t (id int PRIMARY KEY)")
                let name = "output_plugin_libraries"
                let isThere = try await server.psql("SELECT count(*) FROM pg_settings WHERE name = '\(name)'")
                if !isThere.contains("1") { print("\(server.version) has no \(name)") }
                let lists =
                    isThere.contains("1")
                    ? ["test_decoding", "", "PGOUTPUT", "pgoutputs, wal2json", "wal2json,  \"pgoutput\"", "pgoutput"]
                    : []
                for list in lists {
                    try await server.restart(settings: [name: list])
                    let database = PreflightDatabase(server: server, name: "postgres")
                    let control = try await database.connect()
                    let request = MigrationRequest(change: .alter(table: "t", clauses: "ADD COLUMN note text"))
                    let codes = try await control.run { try Preflight.check(request, on: $0) }.map(\.code)
                    do {
                        try await control.query("SELECT pg_create_logical_replication_slot('trial', 'pgoutput', true)")
                        #expect(codes == [], "\(list)")
                    } catch let error as PgError {
                        #expect(error.message.contains("may not be used as an output plugin"))
                        #expect(codes == ["output-plugin-not-allowed"], "\(list)")
                    }
                    await control.close()
                }
                try await server.stop(.immediate)
            }
        }

        /// A logical walsender calls itself by any name, and `*` is every name.
        @Test func synchronousStandbys() async throws {
            for binaries in try await Servers.all() {
                let server = try await ThrowawayServer.start(
                    binaries,
                    settings: [
                        "synchronous_standby_names": "*", "synchronous_commit": "local", "autovacuum": "off",
                    ])
                let database = PreflightDatabase(server: server, name: "postgres")
                let control = try await database.connect()
                try await control.execute("CREATE TABLE t (id int PRIMARY KEY)")
                let refusals = try await database.refusals("t", control)
                #expect(refusals.map(\.code) == ["any-standby-is-synchronous"])
                await control.close()
                try await server.stop(.immediate)
            }
        }

        @Test func standby() async throws {
            for binaries in try await Servers.all() {
                let server = try await ThrowawayServer.start(binaries, settings: ["autovacuum": "off"])
                // A server that finds this file waits for a primary, which may never come, and answers queries
                // meanwhile.
                try await server.psql(
                    """
                    CREATE TABLE t (id int PRIMARY KEY);
                    DO $$ BEGIN
                        EXECUTE format('COPY (SELECT WHERE false) TO %L', current_setting('data_directory') || '/standby.signal');
                    END $$
                    """)
                try await server.restart()
                let database = PreflightDatabase(server: server, name: "postgres")
                let control = try await database.connect()
                let refusals = try await database.refusals("t", control)
                #expect(refusals.map(\.code) == ["standby"])
                #expect(refusals.first?.fix.contains("target_session_attrs=read-write") == true)
                await control.close()
                try await server.stop(.immediate)
            }
        }

        /// A role with no privilege is told all that it lacks; each command that it is told takes one refusal away.
        @Test func privileges() async throws {
            for database in try await PreflightServers.databases(named: "privileges") {
                let control = try await database.connect()
                try await control.execute(
                    """
                    CREATE ROLE somebody LOGIN; CREATE ROLE "table's owner";
                    REVOKE ALL ON SCHEMA public FROM PUBLIC; GRANT USAGE ON SCHEMA public TO somebody;
                    CREATE TABLE t (id int PRIMARY KEY); ALTER TABLE t OWNER TO "table's owner";
                    CREATE SCHEMA hidden; CREATE TABLE hidden.t (id int PRIMARY KEY)
                    """)
                var lacking = ["role-cannot-replicate", "no-create-on-database", "not-owner", "no-create-in-schema"]
                let grant = #"GRANT "table's owner" TO somebody"#
                let remedies = [
                    "ALTER ROLE somebody REPLICATION;", "GRANT CREATE ON DATABASE privileges TO somebody;", grant,
                    "GRANT USAGE, CREATE ON SCHEMA public TO somebody;",
                ]
                for remedy in remedies {
                    let refusals = try await database.refusals("public.t", user: "somebody", control)
                    #expect(refusals.map(\.code) == lacking, "\(database.server.binaries)")
                    #expect(refusals.contains { $0.fix.contains(remedy) })
                    lacking.removeFirst()
                    try await control.execute(remedy)
                }
                let request = MigrationRequest(change: .alter(table: "public.t", clauses: ""))
                let somebody = try await PgConnection.connect(database.options(user: "somebody"))
                #expect(try await somebody.run { try Preflight.check(request, on: $0) } == [])
                let hidden = try await database.refusals("hidden.t", user: "somebody", control)
                #expect(hidden.map(\.code) == ["no-schema-usage"])
                #expect(hidden.map(\.object) == ["hidden.t"])
                // Amazon's way to let a role replicate.
                try await control.execute("ALTER ROLE somebody NOREPLICATION; CREATE ROLE rds_replication")
                let rds = try await database.refusals("public.t", user: "somebody", control)
                #expect(rds.map(\.fix) == ["GRANT rds_replication TO somebody;"])
                try await control.execute("GRANT rds_replication TO somebody")
                #expect(try await somebody.run { try Preflight.check(request, on: $0) } == [])
                if database.server.version >= 16 {
                    try await control.execute(grant + " WITH INHERIT FALSE")
                    #expect(
                        try await somebody.run { try Preflight.check(request, on: $0) }.map(\.code) == ["not-owner"])
                    try await control.execute(grant + " WITH INHERIT TRUE, SET FALSE")
                    let refusals = try await somebody.run { try Preflight.check(request, on: $0) }
                    #expect(refusals.map(\.code) == ["not-owner"])
                    #expect(refusals.first?.what.contains("may not SET ROLE") == true)
                }
                await somebody.close()
                await control.close()
            }
        }

        @Test func otherMigration() async throws {
            for database in try await PreflightServers.databases(named: "migrations") {
                let control = try await database.connect()
                try await control.execute(StateSchema.create)
                try await control.execute(
                    """
                    CREATE TABLE t (id int PRIMARY KEY); CREATE TABLE u (id int PRIMARY KEY);
                    INSERT INTO shadow_alter.migration (name, phase, stream_name, plan) VALUES ('the other', 'copying', 's', '{}');
                    INSERT INTO shadow_alter.migrated_table (migration_id, position, source_oid, green_oid)
                        SELECT id, 0, 't'::regclass, 'u'::regclass FROM shadow_alter.migration
                    """)
                // Its own migration is not in its way.
                let own = MigrationRequest(change: .alter(table: "t", clauses: ""), name: "the other")
                #expect(try await control.run { try Preflight.check(own, on: $0) } == [])
                for (table, role) in [("t", "the live table"), ("u", "the new table")] {
                    let refusals = try await database.refusals(table, control)
                    #expect(refusals.map(\.code) == ["other-migration"])
                    #expect(refusals.first?.what.contains("is \(role) of the migration the other") == true)
                    #expect(refusals.first?.fix.contains("shadow-alter abort 'the other'") == true)
                }
                // After the swap the new table may be migrated again, the old one not.
                try await control.execute("UPDATE shadow_alter.migration SET phase = 'done'")
                #expect(try await database.refusals("t", control).map(\.code) == ["other-migration"])
                let again = MigrationRequest(change: .alter(table: "u", clauses: ""))
                #expect(try await control.run { try Preflight.check(again, on: $0) } == [])
                #expect(try await database.refusals("shadow_alter.chunk", control).map(\.code) == ["own-state-table"])
                // Who may not read the state must not conclude that there is none.
                try await control.execute(
                    "CREATE ROLE stranger LOGIN REPLICATION; GRANT CREATE ON DATABASE migrations TO stranger")
                try await control.execute("GRANT CREATE ON SCHEMA public TO stranger; ALTER TABLE u OWNER TO stranger")
                let stranger = try await PgConnection.connect(database.options(user: "stranger"))
                #expect(
                    try await stranger.run { try Preflight.check(again, on: $0) }.map(\.code) == ["state-unreadable"])
                await stranger.close()
                await control.close()
            }
        }

        @Test func warnings() async throws {
            for database in try await PreflightServers.databases(named: "warnings") {
                let control = try await database.connect()
                try await control.execute("CREATE TABLE t (id int PRIMARY KEY); INSERT INTO t VALUES (1)")
                let oid: UInt32 = try await control.query("SELECT 't'::regclass::oid").single().value()
                let never = try await control.run { try Preflight.warnings(table: oid, on: $0) }
                #expect(never.count == 1 && never.first?.contains("ANALYZE public.t;") == true)
                try await control.execute("ANALYZE t")
                #expect(try await control.run { try Preflight.warnings(table: oid, on: $0) } == [])
                try await control.execute(
                    """
                    ALTER TABLE t SET (autovacuum_freeze_max_age = 100000);
                    UPDATE pg_class SET relfrozenxid = (txid_current() - 200000 + (1::bigint << 32))::text::xid8::xid
                        WHERE oid = 't'::regclass
                    """)
                let wraparound = try await control.run { try Preflight.warnings(table: oid, on: $0) }
                #expect(wraparound.count == 1 && wraparound.first?.contains("VACUUM (FREEZE) public.t;") == true)
                await control.close()
            }
        }
    }
}
