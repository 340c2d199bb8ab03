import PgConnection
import ShadowAlter
import Testing
import ThrowawayServer

/// A request that the planner refuses, and what it has to say.
struct RefusedRequest: Sendable, CustomStringConvertible {
    let clauses: String
    let code: String
    let says: String
    /// Beside the table `t`.
    var setup = ""
    var isScript = false
    var name: String?

    var description: String { "\(name ?? "") \(clauses)" }

    var request: MigrationRequest {
        MigrationRequest(
            change: isScript ? .script(clauses) : .alter(table: "t", clauses: clauses), name: name,
            strategy: .shadow)
    }

    static let all: [Self] = [
        Self(clauses: "ADD x int NOT NULL", code: "not-null-without-default", says: "t.x"),
        Self(clauses: "ALTER a TYPE nothing", code: "sql-rejected", says: "nothing"),
        Self(clauses: "ALTER a TYPE int; DROP b", code: "unsupported-change", says: "semicolon"),
        Self(clauses: "ALTER b SET DEFAULT 'x", code: "unsupported-change", says: "has no end"),
        Self(clauses: "DROP id", code: "key-not-mappable", says: "id"),
        Self(clauses: "ALTER id TYPE int USING id + a", code: "key-not-mappable", says: "id"),
        Self(clauses: "RENAME TO u", code: "unsupported-change", says: "RENAME TO"),
        Self(clauses: "SET SCHEMA elsewhere", code: "unsupported-change", says: "SET SCHEMA"),
        Self(clauses: "SET UNLOGGED", code: "unsupported-change", says: "SET UNLOGGED"),
        Self(clauses: "SET LOGGED", code: "unsupported-change", says: "SET LOGGED"),
        Self(clauses: "INHERIT other", code: "unsupported-change", says: "INHERIT"),
        Self(clauses: "ALTER a TYPE bigint", code: "schema-exists", says: "t_green", setup: "CREATE SCHEMA t_green"),
        Self(clauses: "ALTER a TYPE bigint", code: "schema-exists", says: "t_blue", setup: "CREATE SCHEMA t_blue"),
        Self(
            clauses: "ALTER a TYPE bigint", code: "name-too-long", says: "63 bytes",
            name: String(repeating: "n", count: 58)),
        Self(clauses: "DROP TABLE other", code: "unsupported-change", says: "creates no other one", isScript: true),
        Self(clauses: "UPDATE t SET a = 1", code: "unsupported-change", says: "UPDATE t", isScript: true),
        Self(
            clauses: "CREATE INDEX CONCURRENTLY ON t (a)", code: "unsupported-change", says: "CONCURRENTLY",
            isScript: true),
        Self(
            clauses: "ALTER TABLE t ALTER a TYPE bigint; ALTER TABLE t ALTER a TYPE text", code: "unsupported-change",
            says: "two statements", isScript: true),
        Self(
            clauses: "ALTER TABLE t ALTER a TYPE bigint; ALTER TABLE t ALTER b TYPE int USING length(b)",
            code: "unsupported-change", says: "USING", isScript: true),
    ]
}

/// Whatever is refused: neither plan nor run has touched anything.
@Suite struct RefusedRequestTests {
    private static let table = """
        CREATE TABLE t (id int PRIMARY KEY, a int, b text); INSERT INTO t VALUES (1, 1, 'x');
        CREATE TABLE other (id int);
        """

    @Test(arguments: RefusedRequest.all)
    func nothingIsTouched(_ refused: RefusedRequest) async throws {
        try await PlanServers.each(setup: Self.table + refused.setup) { database in
            let refusals = try await database.refusals(refused.request)
            #expect(refusals.map(\.code) == [refused.code])
            let text = refusals.map(\.description).joined()
            #expect(text.contains(refused.says), "\(text)")
        }
    }

    /// By the whole oracle, beside which the sums over the catalogs are proved to be enough.
    @Test(arguments: try await Servers.outermost(), ["ALTER amount TYPE nothing", "DROP amount", "SET UNLOGGED"])
    func theKitchenSinkIsUntouched(_ binaries: ServerBinaries, _ clauses: String) async throws {
        let database = try await TestDatabase.create("sink_refused", on: binaries)
        try await KitchenSink(sections: KitchenSink.Section.allCases).create(in: database)
        let before = try await SchemaOracle(database: database).describe()
        let refusals = try await database.refusals(MigrationRequest("shop.orders", clauses))
        #expect(!refusals.isEmpty)
        let found = before.differences(to: try await SchemaOracle(database: database).describe())
        #expect(found.isEmpty, "\(found.report)")
    }
}
