import PgConnection
import ShadowAlter
import Testing
import ThrowawayServer

/// A migration that stands ready, for tests that verify it, and damage its new table before.
struct Verified: Sendable {
    static let rows = 2_000

    let database: TestDatabase
    let session: TestSession
    let running: RunningMigration

    /// Values that have no `=`, that are not equal to themselves, or that only look different.
    static let setup = """
        \(Caseless.setup)
        CREATE TABLE item (
            id int PRIMARY KEY, code text NOT NULL UNIQUE, value text, doc json, place point, big text, ratio float8, amount numeric,
            fixed char(8), tags text[], blind citext);
        ALTER TABLE item ALTER big SET STORAGE EXTERNAL;
        INSERT INTO item SELECT n, 'code ' || n, CASE WHEN n % 7 > 0 THEN 'value ' || n END, json_build_object('n', n, 'a', ARRAY[1, 2]),
            point(n, -n), repeat(md5(n::text), CASE WHEN n % 20 = 0 THEN 200 ELSE 1 END),
            CASE n % 4 WHEN 0 THEN 'NaN' WHEN 1 THEN '-0'::float8 WHEN 2 THEN 'infinity' ELSE n / 3.0 END,
            CASE n % 3 WHEN 0 THEN 'NaN' WHEN 1 THEN 1.50 ELSE n / 7.0 END, 'x' || n, ARRAY['a', NULL, n::text], ('Blind ' || n)::citext
        FROM generate_series(1, \(rows)) n;
        """
    static let request = MigrationRequest("item", "ALTER id TYPE bigint, ADD extra int DEFAULT 7")

    static func ready(
        _ name: String, on binaries: ServerBinaries, request: MigrationRequest = request,
        options: MigrationOptions = .quick
    ) async throws -> Self {
        let database = try await TestDatabase.create(name, on: binaries)
        try await database.psql(setup)
        let running = RunningMigration(request, database, options.manual())
        running.mayFindMismatches()
        let session = try await TestSession(database)
        try await running.untilReady(session)
        return Self(database: database, session: session, running: running)
    }

    func steer(_ command: SteeringCommand) async throws {
        try await Steer(connections: database.options).run(command, "item")
    }

    func status() async throws -> MigrationStatus {
        try await StatusReader(connections: database.options).status(of: "item")
    }

    func verify() async throws -> MigrationStatus.Verify { try await Self.verify(running, database, session) }

    /// Asks for a verification and waits for its end, and until the migration, the only one in the database, is ready again.
    static func verify(
        _ running: RunningMigration, _ database: TestDatabase, _ session: TestSession
    ) async throws -> MigrationStatus.Verify {
        let name: String = try await session.value("SELECT name FROM shadow_alter.migration")
        let asked: Double = try await session.value("SELECT extract(epoch FROM clock_timestamp())::float8")
        try await Steer(connections: database.options).run(.verify, name)
        try await running.until("it is verified") {
            try await session.isTrue(
                """
                EXISTS (SELECT FROM shadow_alter.migration WHERE verify_started_at > to_timestamp(\(asked)) AND verify_ended_at IS NOT NULL
                    AND phase = 'ready')
                """)
        }
        return try await StatusReader(connections: database.options).status(of: name).verify
    }

    /// Rows that are in one of the two tables only, as text: that is exact for these values.
    func expectEqual(sourceLocation: SourceLocation = #_sourceLocation) async throws {
        let columns =
            "id::text, code, value, doc::text, place::text, big, ratio::text, amount::text, fixed, tags, blind::text"
        let wrong = try await session.column(
            """
            (SELECT 'missing ' || id FROM (SELECT \(columns) FROM item EXCEPT ALL SELECT \(columns) FROM item_green.item) a LIMIT 5)
            UNION ALL
            (SELECT 'wrong ' || id FROM (SELECT \(columns) FROM item_green.item EXCEPT ALL SELECT \(columns) FROM item) b LIMIT 5)
            """)
        #expect(wrong.isEmpty, sourceLocation: sourceLocation)
    }

    func finish() async throws {
        try await steer(.cutOver)
        try await running.summary()
        try await Remains(session: session).expectOnlyBlue("item")
        try await Finalize(connections: database.options).run("item")
        try await Remains(session: session).expectNothing()
        await session.close()
    }

    func abort() async throws {
        try await Abort(connections: database.options, log: running.log.logger()).run("item")
        try await Remains(session: session).expectNothing()
        await session.close()
    }
}
