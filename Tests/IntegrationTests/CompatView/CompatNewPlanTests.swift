import PgConnection
import Testing

@testable import ShadowAlter

/// How the plan makes the new shape of the live table, and what it refuses.
@Suite struct CompatNewPlanTests {
    private static let setup = """
        CREATE TYPE mood AS ENUM ('sad', 'ok');
        CREATE TABLE orders (
            id int PRIMARY KEY, price int, placed timestamptz, state mood, note varchar(20), code char(3), legacy int NOT NULL DEFAULT 7,
            needed int NOT NULL, base int, total int GENERATED ALWAYS AS (base * 2) STORED, doc json);
        CREATE TABLE parts (id int, at int, PRIMARY KEY (id, at)) PARTITION BY RANGE (at);
        CREATE TABLE parts_1 PARTITION OF parts FOR VALUES FROM (1) TO (5);
        """

    private func request(
        _ statements: String, _ reverse: [String] = [], _ views: [CompatView] = [.new],
        strategy: MigrationRequest.Strategy = .shadow
    ) -> MigrationRequest {
        MigrationRequest(
            change: .script(statements), name: "orders", strategy: strategy,
            reverse: reverse.compactMap { ReverseExpression(text: $0) }, compatViews: views)
    }

    @Test(
        arguments: [
            ("ALTER id TYPE bigint", [], "id", .column("id"), true),
            ("ALTER id TYPE bigint USING id::bigint", [], "id", .column("id"), true),
            ("ALTER note TYPE text", [], "note", .column("note"), true),
            ("RENAME price TO cents", [], "cents", .column("price"), true),
            ("DROP legacy", [], "id", .column("id"), true),
            ("ALTER id TYPE bigint", [], "total", .column("total"), true),
            ("ALTER code TYPE text", [], "code", .expression("\"code\""), false),
            ("ALTER doc TYPE jsonb", [], "doc", .expression("\"doc\""), false),
            (
                "ALTER price TYPE int USING price * 100", ["price=price / 100"], "price", .expression("(price * 100)"),
                false
            ),
            (
                "ALTER placed TYPE timestamp USING placed AT TIME ZONE 'UTC'", ["placed=placed AT TIME ZONE 'UTC'"],
                "placed", .expression("(placed AT TIME ZONE 'UTC')"), false
            ),
            ("ADD size int DEFAULT 5", [], "size", .constant("5"), false),
            ("ADD size int", [], "size", .constant(nil), false),
            // Not another time, or another number, whenever somebody looks.
            ("ADD at timestamptz DEFAULT now()", [], "at", .constant(nil), false),
            ("ADD number serial", [], "number", .constant(nil), false),
            (
                "DROP needed, ADD required int NOT NULL DEFAULT 1", ["needed=required"], "required", .constant("1"),
                false
            ),
        ] as [(String, [String], String, CompatShape.Source, Bool)])
    func howAColumnIsShown(
        clauses: String, reverse: [String], column: String, source: CompatShape.Source, isPlain: Bool
    ) async throws {
        try await PlanServers.each(setup: Self.setup) { database in
            let plan = try await database.dryRun(request("ALTER TABLE orders \(clauses)", reverse))
            let shape = try #require(plan.tables.first?.compat.first)
            let found = try #require(shape.columns.first { $0.name == column })
            #expect(found.source == source)
            #expect(shape.isPlain == isPlain)
            #expect(shape.view.description == "orders_new.orders" && shape.live.description == "public.orders")
            let report = PlanReport(plan: plan).text
            #expect(report.contains("\nnew shape  orders_new.orders, a view of the old table"), "\(report)")
            #expect(
                report.contains("view orders_new.orders, for the view orders_new.orders of --compat-view"), "\(report)"
            )
            // Only what nothing is made of has no place.
            let isUnkept = if case .constant = source { reverse.isEmpty } else { false }
            #expect(found.isUnkept == isUnkept)
            #expect(report.contains("a value of its own for \(column) is refused") == isUnkept, "\(report)")
        }
    }

    @Test(
        arguments: [
            ("ALTER price TYPE int USING price * 100", [], "public.orders.price", "--reverse 'price=EXPRESSION'"),
            ("ALTER state TYPE text", [], "public.orders.state", "--reverse 'state=EXPRESSION'"),
            ("ALTER placed TYPE timestamp", [], "public.orders.placed", "session's settings"),
            (
                "ALTER placed TYPE timestamp USING placed AT TIME ZONE 'UTC'", ["placed=placed"],
                "public.orders.placed", "of the new row depends"
            ),
            ("ALTER id TYPE numeric", [], "public.orders.id", "part of the key"),
            ("DROP needed", [], "public.orders.needed", "NOT NULL without a default"),
            (
                "ADD double int GENERATED ALWAYS AS (base * 4) STORED", [], "public.orders.double",
                "generated in the new table"
            ),
        ] as [(String, [String], String, String)])
    func whatIsRefused(clauses: String, reverse: [String], object: String, says: String) async throws {
        try await PlanServers.each(setup: Self.setup) { database in
            let refusals = try await database.refusals(request("ALTER TABLE orders \(clauses)", reverse))
            #expect(
                Set(refusals.map(\.code)) == ["compat-view"] && refusals.contains { $0.object == object }, "\(refusals)"
            )
            #expect(refusals.contains { "\($0)".contains(says) }, "\(refusals)")
        }
    }

    @Test(
        arguments: [
            ("CREATE SCHEMA orders_new", "orders_new: the schema exists already"),
            ("GRANT SELECT (id) ON orders TO PUBLIC", "some of its columns (id)"),
        ])
    func whatStandsInTheWay(setup: String, says: String) async throws {
        try await PlanServers.each(setup: Self.setup + setup) { database in
            let refusals = try await database.refusals(request("ALTER TABLE orders ALTER id TYPE bigint"))
            #expect(refusals.map(\.code) == ["compat-view"], "\(refusals)")
            #expect("\(refusals)".contains(says.split(separator: ": ").last ?? ""), "\(refusals)")
        }
    }

    @Test func otherWays() async throws {
        try await PlanServers.each(setup: Self.setup) { database in
            let native = try await database.refusals(
                request("ALTER TABLE orders RENAME price TO cents", strategy: .native))
            #expect(native.map(\.code) == ["compat-view"] && "\(native)".contains("catalogs alone"), "\(native)")
            let tree = try await database.refusals(request("ALTER TABLE parts ALTER id TYPE bigint"))
            #expect(tree.map(\.code) == ["compat-view"] && "\(tree)".contains("partitioned"), "\(tree)")
        }
    }

    /// A table that gets another name is found under that one by those who know it.
    @Test func bothShapes() async throws {
        try await PlanServers.each(setup: Self.setup) { database in
            let plan = try await database.dryRun(
                request(
                    "ALTER TABLE orders ALTER id TYPE bigint; ALTER TABLE orders RENAME TO purchases", [], [.old, .new])
            )
            #expect(
                plan.compatShapes.map { "\($0.kind) \($0.view) \($0.live)" } == [
                    "old orders_old.orders public.purchases", "new orders_new.purchases public.orders",
                ])
            #expect(plan.dependants.map(\.name) == ["view orders_new.purchases of --compat-view"])
        }
    }
}
