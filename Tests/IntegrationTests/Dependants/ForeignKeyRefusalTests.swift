import PgConnection
import ShadowAlter
import Testing
import ThrowawayServer

/// A foreign key that cannot be carried over.
struct ForeignKeyRefusal: Sendable, CustomTestStringConvertible {
    let testDescription: String
    let setup: String
    let clauses: String
    let codes: [String]
    /// What the refusals have to contain.
    let says: [String]
    var versions = 14...18

    static let all: [Self] = [
        Self(
            testDescription: "outbound column dropped",
            setup: "CREATE TABLE p (id int PRIMARY KEY); CREATE TABLE t (id int PRIMARY KEY, x int REFERENCES p)",
            clauses: "DROP x", codes: ["foreign-key-column"],
            says: ["drops the column x", "t_x_fkey", #"ALTER TABLE "public"."t" DROP CONSTRAINT "t_x_fkey";"#]),
        Self(
            testDescription: "inbound column dropped",
            setup: "CREATE TABLE t (id int PRIMARY KEY, x int UNIQUE); CREATE TABLE c (x int REFERENCES t (x))",
            clauses: "DROP x", codes: ["foreign-key-column"], says: ["c_x_fkey of public.c"]),
        Self(
            testDescription: "types that cannot be compared, inbound",
            setup: "CREATE TABLE t (id int PRIMARY KEY); CREATE TABLE c (x int REFERENCES t)",
            clauses: "ALTER id TYPE text", codes: ["foreign-key-not-possible"],
            says: ["c_x_fkey of public.c", "incompatible types: integer and text"]),
        Self(
            testDescription: "types that cannot be compared, outbound and to itself",
            setup:
                "CREATE TABLE p (id int PRIMARY KEY); CREATE TABLE t (id int PRIMARY KEY, x int REFERENCES p, y int REFERENCES t)",
            clauses: "ALTER x TYPE text, ALTER y TYPE text",
            codes: ["foreign-key-not-possible", "foreign-key-not-possible"],
            says: ["t_x_fkey of public.t", "t_y_fkey of public.t", "incompatible types: text and integer"]),
        Self(
            testDescription: "without the unique index",
            setup: "CREATE TABLE t (id int PRIMARY KEY, x int UNIQUE); CREATE TABLE c (x int REFERENCES t (x))",
            clauses: "DROP CONSTRAINT t_x_key", codes: ["foreign-key-not-possible"],
            says: ["no unique constraint matching given keys"]),
        Self(
            testDescription: "a generated column that would be set",
            setup:
                "CREATE TABLE p (id int PRIMARY KEY); CREATE TABLE t (id int PRIMARY KEY, x int REFERENCES p ON DELETE SET NULL)",
            clauses: "DROP x, ADD x int GENERATED ALWAYS AS (id) STORED", codes: ["foreign-key-column"],
            says: ["t_x_fkey"]),
        Self(
            testDescription: "of a partitioned table, before 18",
            setup: """
                CREATE TABLE t (id int PRIMARY KEY); CREATE TABLE c (x int REFERENCES t) PARTITION BY RANGE (x);
                CREATE TABLE c_1 PARTITION OF c FOR VALUES FROM (0) TO (9)
                """, clauses: "", codes: ["foreign-key-partitioned"],
            says: ["c_x_fkey of public.c", "PostgreSQL 18"], versions: 14...17),
        Self(
            testDescription: "of a partition under another name",
            setup: """
                CREATE TABLE t (id int PRIMARY KEY);
                CREATE TABLE c_1 (x int CONSTRAINT mine REFERENCES t); CREATE TABLE c (x int REFERENCES t) PARTITION BY RANGE (x);
                ALTER TABLE c ATTACH PARTITION c_1 FOR VALUES FROM (0) TO (9)
                """, clauses: "", codes: ["foreign-key-partitioned"],
            says: ["the partition public.c_1 has the foreign key c_x_fkey of public.c as mine"], versions: 18...18),
        Self(
            testDescription: "disabled triggers",
            setup: """
                CREATE TABLE t (id int PRIMARY KEY, x int REFERENCES t); CREATE TABLE c (x int REFERENCES t);
                ALTER TABLE c DISABLE TRIGGER ALL
                """, clauses: "", codes: ["foreign-key-disabled"],
            says: ["c_x_fkey of public.c on public.c", "ALTER TABLE public.c ENABLE TRIGGER ALL"]),
    ]
}

extension LiveMigrations {
    /// What cannot be carried over is refused by name, and nothing was touched.
    @Suite(.serialized, .timeLimit(.minutes(5))) struct ForeignKeyRefusalTests {
        @Test(arguments: try await Servers.outermost(), ForeignKeyRefusal.all)
        func refused(_ binaries: ServerBinaries, _ refused: ForeignKeyRefusal) async throws {
            guard refused.versions.contains(binaries.majorVersion) else { return }
            let database = try await TestDatabase.create("fk_refused", on: binaries)
            try await database.psql(refused.setup)
            let refusals = try await database.refusals(MigrationRequest("t", refused.clauses))
            #expect(refusals.map(\.code) == refused.codes)
            let text = refusals.map(\.description).joined(separator: "\n")
            for word in refused.says { #expect(text.contains(word), "\(word) is not in\n\(text)") }
        }

        @Test(arguments: try await Servers.outermost())
        func withoutThePrivileges(_ binaries: ServerBinaries) async throws {
            let database = try await TestDatabase.create("fk_privileges", on: binaries)
            try await database.psql(
                """
                DROP ROLE IF EXISTS fk_migrator;
                CREATE ROLE fk_migrator LOGIN REPLICATION;
                GRANT CREATE ON DATABASE fk_privileges TO fk_migrator;
                GRANT CREATE ON SCHEMA public TO fk_migrator;
                CREATE TABLE p (id int PRIMARY KEY); CREATE TABLE t (id int PRIMARY KEY, x int REFERENCES p); CREATE TABLE c (x int REFERENCES t);
                ALTER TABLE t OWNER TO fk_migrator;
                """)
            let options = ConnectionOptions(
                conninfo: database.server.conninfo(database: database.name, user: "fk_migrator"))
            let refusals = try await database.refusals(MigrationRequest("t", ""), options: options)
            #expect(refusals.map(\.code) == ["foreign-key-privilege", "foreign-key-privilege"])
            let text = refusals.map(\.description).joined(separator: "\n")
            #expect(
                text.contains("lacks the privileges REFERENCES and UPDATE on public.p, which the foreign key t_x_fkey"))
            #expect(text.contains("lacks ownership of public.c, which the foreign key c_x_fkey of public.c needs"))
            try await database.psql("GRANT REFERENCES, UPDATE ON p TO fk_migrator; ALTER TABLE c OWNER TO fk_migrator")
            let running = Migration(
                MigrationRequest("t", ""), connections: options, options: .quick, log: CapturedLog().logger())
            _ = try await running.run()
            try await Finalize(connections: options).run("t")
            try await database.psql("DROP OWNED BY fk_migrator CASCADE; DROP ROLE fk_migrator")
        }

        @Test(arguments: try await Servers.outermost())
        func whileTheNeighbourIsBeingMigrated(_ binaries: ServerBinaries) async throws {
            let database = try await TestDatabase.create("fk_neighbour", on: binaries)
            try await database.psql(FamilyLoad.setup)
            let session = try await TestSession(database)
            let running = RunningMigration(MigrationRequest("parent", ""), database, .quick.manual())
            try await running.untilReady(session)
            let refused = try #require(
                await RunningMigration(MigrationRequest("child", ""), database).failure() as? Refused)
            #expect(refused.refusals.map(\.code) == ["neighbour-migrating"])
            #expect(refused.description.contains("public.parent, which the migration parent is changing (phase ready)"))
            try await Steer(connections: database.options).run(.cutOver, "parent")
            try await running.summary()
            // After its cut-over the other one is in nobody's way.
            try await RunningMigration(MigrationRequest("child", ""), database).summary()
            try await Finalize(connections: database.options).run("parent")
            try await Finalize(connections: database.options).run("child")
            try await Remains(session: session).expectNothing()
            await session.close()
        }

        /// What is not there any more is noticed before anything is exchanged, and told.
        @Test(
            arguments: try await Servers.outermost(),
            [
                "ALTER TABLE child DROP CONSTRAINT child_parent_fkey", "ALTER TABLE child RENAME TO kid",
                "COMMENT ON CONSTRAINT child_parent_fkey ON child IS 'new'", "ALTER TABLE child DISABLE TRIGGER ALL",
                "ALTER TABLE child RENAME parent TO father",
            ])
        func aChangeOfTheForeignKeyIsNoted(_ binaries: ServerBinaries, _ ddl: String) async throws {
            let database = try await TestDatabase.create("fk_changed", on: binaries)
            try await database.psql(FamilyLoad.setup)
            let session = try await TestSession(database)
            let running = RunningMigration(
                MigrationRequest("parent", "ALTER id TYPE bigint"), database, .quick.manual())
            try await running.untilReady(session)
            try await session.execute(ddl)
            try await Steer(connections: database.options).run(.cutOver, "parent")
            let error = try #require(await running.failure() as? MigrationError)
            #expect(error.code == .sourceChanged, "\(error)")
            #expect(error.message.contains("child_parent_fkey") || error.message.contains("constraints"), "\(error)")
            #expect(try await session.column("SELECT pg_typeof(id)::text FROM parent LIMIT 1") == ["integer"])
            try await Abort(connections: database.options, log: running.log.logger()).run("parent")
            try await Remains(session: session).expectNothing()
            await session.close()
        }
    }
}
