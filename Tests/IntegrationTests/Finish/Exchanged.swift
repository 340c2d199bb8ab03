import Logging
import PgConnection
import Testing
import ThrowawayServer

@testable import ShadowAlter

/// A migration whose tables are exchanged, for tests of what comes afterwards.
struct Exchanged: Sendable {
    let database: TestDatabase
    let session: TestSession
    let name: String
    let log = CapturedLog()

    /// A table with five indexes, three of them under constraints, and a foreign key to itself.
    static let item = """
        CREATE TABLE item (id int PRIMARY KEY, code int UNIQUE, up int REFERENCES item, value text, room int4range,
            EXCLUDE USING gist (room WITH &&));
        INSERT INTO item SELECT n, n, 1, 'value ' || n, int4range(n, n + 1) FROM generate_series(1, 500) n;
        CREATE INDEX item_value ON item (value);
        CREATE INDEX item_lower ON item (lower(value));
        """
    static let request = MigrationRequest("item", "ALTER id TYPE bigint")

    static func create(
        _ name: String, on binaries: ServerBinaries, setup: String = item, request: MigrationRequest = request
    ) async throws -> Self {
        let database = try await TestDatabase.create(name, on: binaries)
        try await database.psql(setup)
        let summary = try await RunningMigration(request, database).summary()
        return Self(database: database, session: try await TestSession(database), name: summary.name)
    }

    func finalize(
        patience: Duration = .seconds(60), pieceSize: Int64 = BluePieces.size, acceptsMismatches: Bool = false
    ) async throws {
        var finalize = Finalize(
            connections: database.options, log: log.logger(), patience: patience, acceptsMismatches: acceptsMismatches)
        finalize.pieceSize = pieceSize
        try await finalize.run(name)
    }

    /// What keeps it from being finalized; nil, and an issue, when it is finalized.
    func refusal(
        patience: Duration = .seconds(60), pieceSize: Int64 = BluePieces.size,
        sourceLocation: SourceLocation = #_sourceLocation
    ) async -> MigrationError? {
        await #expect(throws: MigrationError.self, sourceLocation: sourceLocation) {
            try await finalize(patience: patience, pieceSize: pieceSize)
        }
    }

    /// Everything in the schema of the old tables, with what hangs on it.
    func blue() async throws -> [String] {
        try await session.column(
            """
            SELECT concat_ws(' ', c.relkind, c.relname) FROM pg_class c WHERE c.relnamespace = to_regnamespace('\(name)_blue')
            UNION ALL SELECT 'constraint ' || conname FROM pg_constraint WHERE connamespace = to_regnamespace('\(name)_blue') ORDER BY 1
            """)
    }

    func finish() async throws {
        try await Remains(session: session).expectNothing()
        await session.close()
    }

    /// Makes a note of every object that is dropped, and by which transaction. What is taken back leaves none.
    static let witness = """
        CREATE TABLE public.dropped (n int GENERATED ALWAYS AS IDENTITY, writer xid8 DEFAULT pg_current_xact_id(), what text);
        CREATE FUNCTION public.note_drops() RETURNS event_trigger LANGUAGE plpgsql AS $$
        BEGIN
            INSERT INTO public.dropped (what) SELECT object_type || ' ' || object_name FROM pg_event_trigger_dropped_objects()
            WHERE schema_name LIKE '%blue' AND object_type IN ('table', 'index') AND current_setting('application_name') = 'shadow-alter control';
        END $$;
        CREATE EVENT TRIGGER note_drops ON sql_drop EXECUTE FUNCTION public.note_drops();
        """

    /// A transaction on a line: what it has dropped.
    func drops() async throws -> [String] {
        try await session.column(
            "SELECT string_agg(what, ', ' ORDER BY what) FROM dropped GROUP BY writer ORDER BY min(n)")
    }
}
