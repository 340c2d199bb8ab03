import PgConnection
import ShadowAlter
import Testing
import ThrowawayServer

/// The table of the guards' tests: known rows, about a hundred pages, and what it must contain at the end is what the old table
/// contains.
struct Items: Sendable {
    static let rows = 5_000
    /// A row in the middle of the file.
    static let middle = 2_500

    let database: TestDatabase
    /// For looking around, and for changes that are committed at once.
    let session: TestSession
    let barrier: Barrier

    static func create(_ name: String, on binaries: ServerBinaries) async throws -> Self {
        try await create(name, in: SharedServers.server(binaries))
    }

    static func create(_ name: String, in server: ThrowawayServer) async throws -> Self {
        let database = try await TestDatabase.create(name, in: server)
        try await database.psql(
            """
            \(Barrier.setup)
            CREATE TABLE item (id int PRIMARY KEY, value text, filler text) WITH (autovacuum_enabled = off);
            INSERT INTO item SELECT n, 'value ' || n, repeat(md5(n::text), 4) FROM generate_series(1, \(rows)) n;
            CREATE TABLE other (id int PRIMARY KEY);
            INSERT INTO other VALUES (1);
            """)
        return try await Self(
            database: database, session: TestSession(database),
            barrier: Barrier(session: TestSession(database, "barrier")))
    }

    /// The change with a barrier in the middle of the copy.
    static let gated = MigrationRequest("item", "ALTER id TYPE bigint, \(Barrier.copyStops(at: middle))")
    static let plain = MigrationRequest("item", "ALTER id TYPE bigint")

    /// The new table has exactly the rows that the old one had when they changed places.
    func expectExact(sourceLocation: SourceLocation = #_sourceLocation) async throws {
        let type = try await session.column(
            "SELECT format_type(atttypid, atttypmod) FROM pg_attribute WHERE attrelid = 'item'::regclass AND attname = 'id'"
        )
        #expect(type == ["bigint"], sourceLocation: sourceLocation)
        let wrong = try await session.column(
            """
            (SELECT 'missing ' || id || ' ' || coalesce(value, 'NULL')
             FROM (SELECT id, value, filler FROM item_blue.item EXCEPT ALL SELECT id, value, filler FROM item) a ORDER BY id LIMIT 5)
            UNION ALL
            (SELECT 'wrong ' || id || ' ' || coalesce(value, 'NULL')
             FROM (SELECT id, value, filler FROM item EXCEPT ALL SELECT id, value, filler FROM item_blue.item) b ORDER BY id LIMIT 5)
            """)
        #expect(wrong.isEmpty, sourceLocation: sourceLocation)
    }

    /// The slot's, the publication's and everything else's end, and that of the test's sessions.
    func finish(_ name: String = "item") async throws {
        try await Remains(session: session).expectOnlyBlue(name)
        try await Finalize(connections: database.options).run(name)
        try await Remains(session: session).expectNothing()
        await close()
    }

    func close() async {
        await session.close()
        await barrier.session.close()
    }

    func copiedChunks() async throws -> Int {
        try await session.value("SELECT count(*) FROM shadow_alter.chunk")
    }

    func sourceFile() async throws -> Int {
        try await session.value("SELECT pg_relation_filenode('item'::regclass)")
    }

    /// Whether a session waits for ACCESS EXCLUSIVE on the table.
    func waitsForAccessExclusive(_ session: TestSession, applicationName: String) async throws -> Bool {
        try await session.isTrue(
            """
            EXISTS (SELECT FROM pg_locks l JOIN pg_stat_activity a USING (pid)
                    WHERE l.relation = 'item'::regclass AND l.mode = 'AccessExclusiveLock' AND NOT l.granted
                        AND a.application_name = '\(applicationName)')
            """)
    }
}
