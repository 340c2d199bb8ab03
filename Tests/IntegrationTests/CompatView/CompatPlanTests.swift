import PgConnection
import Testing

@testable import ShadowAlter

/// How the plan makes the old shape, and what it refuses.
@Suite struct CompatPlanTests {
    private static let setup = """
        CREATE TYPE mood AS ENUM ('sad', 'ok');
        CREATE TABLE orders (
            id int PRIMARY KEY, price int, placed timestamptz, state mood, note varchar(20), code char(3), legacy int NOT NULL DEFAULT 7,
            base int, total int GENERATED ALWAYS AS (base * 2) STORED, moved timestamptz DEFAULT now(), number serial, doc json);
        CREATE TABLE parts (id int, at int, PRIMARY KEY (id, at)) PARTITION BY RANGE (at);
        CREATE TABLE parts_1 PARTITION OF parts FOR VALUES FROM (1) TO (5);
        """

    private func request(
        _ clauses: String, _ reverse: [String] = [], table: String = "orders",
        strategy: MigrationRequest.Strategy = .shadow, views: [CompatView] = [.old]
    ) -> MigrationRequest {
        MigrationRequest(
            change: .script("ALTER TABLE \(table) \(clauses)"), name: "orders", strategy: strategy,
            reverse: reverse.compactMap { ReverseExpression(text: $0) }, compatViews: views)
    }

    private static let shown =
        [
            ("ALTER id TYPE bigint", [], "id", .column("id"), "bigint"),
            ("ALTER note TYPE text", [], "note", .column("note"), "character varying"),
            ("ALTER note TYPE varchar(30)", [], "note", .column("note"), "character varying"),
            ("ALTER code TYPE text", [], "code", .expression("\"code\""), "bpchar"),
            ("ALTER doc TYPE jsonb", [], "doc", .expression("\"doc\""), "json"),
            ("ALTER price TYPE numeric(20, 4)", [], "price", .expression("\"price\""), "integer"),
            ("RENAME price TO cents", [], "price", .column("cents"), "integer"),
            (
                "ALTER price TYPE int USING price * 100", ["price=price / 100"], "price", .expression("(price / 100)"),
                "integer"
            ),
            (
                "ALTER placed TYPE timestamp USING placed AT TIME ZONE 'UTC'", ["placed=placed AT TIME ZONE 'UTC'"],
                "placed",
                .expression("(placed AT TIME ZONE 'UTC')"), "timestamp with time zone"
            ),
            ("DROP legacy", [], "legacy", .constant("7"), "integer"),
            ("DROP note", [], "note", .constant(nil), "character varying"),
            // Not another time, or another number, whenever somebody looks.
            ("DROP moved", [], "moved", .constant(nil), "timestamp with time zone"),
            ("DROP number", [], "number", .constant(nil), "integer"),
            ("ALTER id TYPE bigint", [], "total", .column("total"), "integer"),
        ] as [(String, [String], String, CompatShape.Source, String)]

    @Test func howColumnsAreShown() async throws {
        try await PlanServers.each(setup: Self.setup) { database in
            for (clauses, reverse, column, source, type) in Self.shown {
                let plan = try await database.dryRun(request(clauses, reverse))
                let shape = try #require(plan.tables.first?.compat.first, "\(clauses)")
                let found = try #require(shape.columns.first { $0.name == column }, "\(clauses)")
                #expect(found.source == source, "\(clauses)")
                #expect(type == "bigint" || found.type == type, "\(clauses): \(found.type)")
                #expect(shape.view.description == "orders_old.orders", "\(clauses)")
                let report = PlanReport(plan: plan).text
                #expect(report.contains("\nold shape  orders_old.orders, a view of the new table"), "\(report)")
                #expect(
                    report.contains(shape.isPlain ? "written to like a table" : "written to through triggers"),
                    "\(report)")
                // Not asked for, not planned.
                var other = request(clauses, reverse)
                other.compatViews = []
                #expect(try await database.dryRun(other).compatShapes == [], "\(clauses)")
            }
        }
    }

    private static let refused =
        [
            ("ALTER price TYPE int USING price * 100", [], "public.orders.price", "--reverse"),
            ("ALTER state TYPE text", [], "public.orders.state", "--reverse 'state=EXPRESSION'"),
            ("ALTER placed TYPE timestamp", [], "public.orders.placed", "session's settings"),
            (
                "ALTER placed TYPE timestamp", ["placed=placed AT TIME ZONE 'UTC'"], "public.orders.placed",
                "depends on the session's settings"
            ),
            ("ALTER id TYPE numeric", [], "public.orders.id", "part of the key"),
            ("ALTER id TYPE text USING 'x' || id", ["id=substr(id, 2)::int"], "public.orders.id", "part of the key"),
            ("DROP total", [], "public.orders.total", "generated"),
        ] as [(String, [String], String, String)]

    @Test func whatIsRefused() async throws {
        try await PlanServers.each(setup: Self.setup) { database in
            for (clauses, reverse, object, says) in Self.refused {
                let refusals = try await database.refusals(request(clauses, reverse))
                #expect(
                    refusals.map(\.code) == ["compat-view"] && refusals.map(\.object) == [object],
                    "\(clauses): \(refusals)")
                #expect(refusals.contains { "\($0)".contains(says) }, "\(clauses): \(refusals)")
            }
        }
    }

    @Test(
        arguments: [
            ("CREATE SCHEMA orders_old", "exists already"),
            ("GRANT SELECT (id) ON orders TO PUBLIC", "some of its columns (id)"),
        ])
    func whatStandsInTheWay(setup: String, says: String) async throws {
        try await PlanServers.each(setup: Self.setup + setup) { database in
            let refusals = try await database.refusals(request("ALTER id TYPE bigint"))
            #expect(refusals.map(\.code) == ["compat-view"] && "\(refusals)".contains(says), "\(refusals)")
        }
    }

    @Test func otherWays() async throws {
        try await PlanServers.each(setup: Self.setup) { database in
            let native = try await database.refusals(request("RENAME price TO cents", strategy: .native))
            #expect(native.map(\.code) == ["compat-view"] && "\(native)".contains("catalogs alone"), "\(native)")
            let tree = try await database.refusals(request("ALTER id TYPE bigint", table: "parts"))
            #expect(tree.map(\.code) == ["compat-view"] && "\(tree)".contains("partitioned"), "\(tree)")
        }
    }

    /// Before 15 a view reads past the policies.
    @Test func rowSecurity() async throws {
        try await PlanServers.each(setup: Self.setup + "ALTER TABLE orders ENABLE ROW LEVEL SECURITY") { database in
            guard database.version < 15 else {
                #expect(try await database.dryRun(request("ALTER id TYPE bigint")).compatShapes.count == 1)
                return
            }
            let refusals = try await database.refusals(request("ALTER id TYPE bigint"))
            #expect(refusals.map(\.code) == ["compat-view"], "\(refusals)")
        }
    }
}
