import LedgerWorkload
import Testing
import ThrowawayServer

@testable import ShadowAlter

/// The table of the fault tests under a load that knows what must be in it, with a materialized view and a foreign key hanging on it.
struct FaultOrders: Sendable {
    let database: TestDatabase
    let workload: Workload

    static let clauses = "ALTER COLUMN id TYPE bigint"
    /// Two chunks of the copy.
    static let rows = 3000

    private static let setup = """
        CREATE TABLE orders (
            id serial PRIMARY KEY, amount numeric(12,2), note text, doc jsonb, code text UNIQUE, serial_no bigint UNIQUE, blob text,
            hits integer NOT NULL DEFAULT 0, visits integer NOT NULL DEFAULT 0, filler text) WITH (autovacuum_enabled = off);
        CREATE INDEX orders_note ON orders (lower(note));
        INSERT INTO orders (id, amount, note, doc, code, serial_no, filler)
        SELECT n, n / 7.0, 'note ' || n, jsonb_build_object('a', n), 'old ' || n, -n, repeat(md5(n::text), 18)
        FROM generate_series(1, \(rows)) n;
        SELECT setval('orders_id_seq', 20000);
        CREATE TABLE line (
            id int PRIMARY KEY, order_id int NOT NULL REFERENCES orders ON UPDATE CASCADE ON DELETE CASCADE, quantity int NOT NULL);
        CREATE INDEX line_order ON line (order_id);
        INSERT INTO line SELECT n, n, n % 9 FROM generate_series(1, 500) n;
        \(view)
        ANALYZE;
        """
    private static let view = """
        CREATE MATERIALIZED VIEW amounts AS SELECT length(note) AS part, sum(amount) AS amount, count(*) AS orders FROM orders GROUP BY 1;
        CREATE UNIQUE INDEX amounts_part ON amounts (part);
        """

    /// - Parameter adopted: how many of the rows that are there the load changes and deletes.
    static func create(
        _ name: String, in server: ThrowawayServer, seed: UInt64, adopted: Int = 1500, rate: Double = 40
    ) async throws -> FaultOrders {
        let database = try await TestDatabase.create(name, in: server)
        try await database.psql(setup)
        let table = try MigrationCase("orders", key: [KeyColumn("id", .sequence(updatable: true))]).table
        let workload = try await Workload.start(
            table: table, options: database.options,
            settings: WorkloadSettings(seed: seed, clients: 3, rate: rate, rowsPerClient: 900, adoptedRows: adopted),
            announce: { _ in })
        return FaultOrders(database: database, workload: workload)
    }

    /// The whole database's definition when PostgreSQL's own ALTER TABLE has made it; nil: as it is before. Read once for each server.
    static func definition(_ alter: String?, in server: ThrowawayServer) async throws -> [String] {
        try await definitions.of("\(server.directory) \(alter ?? "")") {
            let twin = try await TestDatabase.create("twin_\(UInt32.random(in: 0 ... .max))", in: server)
            try await twin.psql(setup)
            if let alter {
                // A table that something is computed from cannot be altered natively: the view is made anew.
                try await twin.psql("DROP MATERIALIZED VIEW amounts; ALTER TABLE orders \(alter); \(view)")
            }
            let definition = try await DefinitionOracle(database: twin).read()
            try await server.psql("DROP DATABASE \(twin.name)")
            return definition
        }
    }

    private static let definitions = Definitions()

    private actor Definitions {
        private var known: [String: Task<[String], any Error>] = [:]

        func of(_ name: String, _ read: @escaping @Sendable () async throws -> [String]) async throws -> [String] {
            if let known = known[name] { return try await known.value }
            let task = Task { try await read() }
            known[name] = task
            return try await task.value
        }
    }

    /// Ends the load, and compares: every acknowledged write is there once, the definition is this one, and nothing is left behind.
    func finish(
        _ side: MigrationSide, _ alter: String?, _ comment: String, hasCrashed: Bool = false
    ) async throws {
        let report = await workload.stop()
        if !hasCrashed { #expect(report.errorCount == 0, "\(comment): \(report)") }
        let found = try await workload.verify(on: database.options, canonical: side, hasCrashed: hasCrashed)
        #expect(found.isEmpty, "\(comment): \(found.count) differences, \(found.prefix(5))")
        let session = try await TestSession(database)
        #expect(
            try await session.column(
                "SELECT l.id FROM line l WHERE NOT EXISTS (SELECT FROM orders o WHERE o.id = l.order_id)") == [],
            "\(comment)")
        DefinitionOracle.expectSame(
            try await DefinitionOracle(database: database).read(),
            try await Self.definition(alter, in: database.server), comment)
        try await Remains(session: session).expectNothing()
        await session.close()
    }

    func close() async {
        await workload.stop()
        _ = try? await database.server.psql("DROP DATABASE IF EXISTS \(database.name) WITH (FORCE)")
    }
}
