import PgConnection
import ShadowAlter
import Testing
import ThrowawayServer

/// A small partitioned table with known rows, or an ordinary one that is to become one; what it must contain at the end is what the old one
/// contains.
struct PartitionedItems: Sendable {
    static let rows = 4_000

    let database: TestDatabase
    let session: TestSession
    let barrier: Barrier

    /// Three levels.
    static let tree = """
        CREATE TABLE item (id int NOT NULL, value text, filler text, PRIMARY KEY (id)) PARTITION BY RANGE (id);
        CREATE TABLE item_low PARTITION OF item FOR VALUES FROM (MINVALUE) TO (1000);
        CREATE TABLE item_mid PARTITION OF item FOR VALUES FROM (1000) TO (3000) PARTITION BY RANGE (id);
        CREATE TABLE item_mid_a PARTITION OF item_mid FOR VALUES FROM (1000) TO (2000);
        CREATE TABLE item_mid_b PARTITION OF item_mid FOR VALUES FROM (2000) TO (3000);
        CREATE TABLE item_high PARTITION OF item DEFAULT;
        CREATE INDEX item_value ON item (value);
        """
    static let ordinary = "CREATE TABLE item (id int PRIMARY KEY, value text, filler text);"

    private static let fill =
        "INSERT INTO item SELECT n, 'value ' || n, repeat(md5(n::text), 4) FROM generate_series(1, \(rows)) n;"

    static func create(_ name: String, _ table: String, on binaries: ServerBinaries) async throws -> Self {
        let database = try await TestDatabase.create(name, on: binaries)
        try await database.psql(Barrier.setup + table + fill)
        return try await Self(
            database: database, session: TestSession(database),
            barrier: Barrier(session: TestSession(database, "barrier")))
    }

    /// A change of the tree, and what makes the ordinary table one; the copy stops in the middle.
    static let changed = MigrationRequest(
        "item", "ALTER value TYPE varchar(99), \(Barrier.copyStops(at: 1500))", name: "item")
    static let divided = MigrationRequest(
        change: .script(
            """
            DROP TABLE item;
            CREATE TABLE item (id int PRIMARY KEY, value text, filler text,
                CONSTRAINT barrier CHECK (pass_barrier(id, 1500, 'shadow-alter copy'))) PARTITION BY RANGE (id);
            CREATE TABLE item_low PARTITION OF item FOR VALUES FROM (MINVALUE) TO (2000);
            CREATE TABLE item_rest PARTITION OF item DEFAULT;
            CREATE INDEX item_value ON item (value);
            """))

    /// Rows that change, move to other partitions, go and come.
    func write() async throws {
        try await session.execute(
            """
            UPDATE item SET value = 'written' WHERE id % 5 = 0; UPDATE item SET id = id + 50000 WHERE id % 11 = 3 AND id < 1500;
            DELETE FROM item WHERE id % 17 = 4; INSERT INTO item SELECT n, 'new', '' FROM generate_series(100001, 100050) n
                ON CONFLICT (id) DO UPDATE SET value = item.value || '!';
            """)
    }

    /// Every session of the tool is ended by force: all that a server sees of a killed process.
    func killTheTool() async throws {
        try await session.execute(
            """
            SELECT pg_terminate_backend(pid) FROM pg_stat_activity
            WHERE datname = current_database() AND application_name LIKE 'shadow-alter%'
            """)
    }

    func expectExact(sourceLocation: SourceLocation = #_sourceLocation) async throws {
        let wrong = try await session.column(
            """
            SELECT concat_ws(' ', side, id, value) FROM (
                (SELECT 'missing' AS side, id, value, filler FROM item_blue.item EXCEPT ALL SELECT 'missing', id, value, filler FROM item)
                UNION ALL
                (SELECT 'too many', id, value, filler FROM item EXCEPT ALL SELECT 'too many', id, value, filler FROM item_blue.item)) x
            ORDER BY side, id LIMIT 10
            """)
        #expect(wrong.isEmpty, "\(wrong)", sourceLocation: sourceLocation)
        let invalid = try await session.column(
            "SELECT indexrelid::regclass::text FROM pg_index WHERE NOT indisvalid AND indrelid::regclass::text ~ '^item'"
        )
        #expect(invalid.isEmpty, sourceLocation: sourceLocation)
    }

    /// Removes the old tables, and looks that nothing is left.
    func finish(sourceLocation: SourceLocation = #_sourceLocation) async throws {
        try await Remains(session: session).expectOnlyBlue("item", sourceLocation: sourceLocation)
        try await Finalize(connections: database.options).run("item")
        try await Remains(session: session).expectNothing(sourceLocation: sourceLocation)
        await close()
    }

    func close() async {
        await session.close()
        await barrier.session.close()
    }
}
