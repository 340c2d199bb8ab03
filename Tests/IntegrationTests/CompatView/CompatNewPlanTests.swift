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

    @Test func shownAsTheyAre() async throws {
        try await PlanServers.each(setup: Self.setup) { database in
            let plan = try await database.dryRun(
                request(
                    """
                    ALTER TABLE orders RENAME price TO cents;
                    ALTER TABLE orders ALTER id TYPE bigint USING id::bigint, ALTER note TYPE text, DROP legacy
                    """))
            let shape = try #require(plan.tables.first?.compat.first)
            let same = ["id", "placed", "state", "note", "code", "needed", "base", "total", "doc"]
            for name in same {
                #expect(shape.columns.first { $0.name == name }?.source == .column(name), "\(name)")
            }
            #expect(shape.columns.first { $0.name == "cents" }?.source == .column("price"))
            #expect(shape.columns.count == same.count + 1 && shape.isPlain)
            #expect(shape.view.description == "orders_new.orders" && shape.live.description == "public.orders")
            let report = PlanReport(plan: plan).text
            #expect(report.contains("\nnew shape  orders_new.orders, a view of the old table"), "\(report)")
            #expect(report.contains("written to like a table") && !report.contains("a value of its own"), "\(report)")
            #expect(
                report.contains("view orders_new.orders, for the view orders_new.orders of --compat-view"), "\(report)"
            )
        }
    }

    @Test func madeOfTheOldRow() async throws {
        try await PlanServers.each(setup: Self.setup) { database in
            let plan = try await database.dryRun(
                request(
                    """
                    ALTER TABLE orders ALTER code TYPE text, ALTER doc TYPE jsonb, ALTER price TYPE int USING price * 100,
                        ALTER placed TYPE timestamp USING placed AT TIME ZONE 'UTC', ADD size int DEFAULT 5, ADD empty int,
                        ADD at timestamptz DEFAULT now(), ADD number serial, DROP needed, ADD required int NOT NULL DEFAULT 1,
                        ALTER state TYPE text USING CASE state WHEN 'sad' THEN 'sad' ELSE 'ok' END
                    """,
                    [
                        "state=CASE state WHEN 'sad' THEN 'sad'::mood ELSE 'ok'::mood END", "price=price / 100",
                        "placed=placed AT TIME ZONE 'UTC'", "needed=required",
                    ]))
            let shape = try #require(plan.tables.first?.compat.first)
            let expected: [String: CompatShape.Source] = [
                "code": .expression("\"code\""), "doc": .expression("\"doc\""), "price": .expression("(price * 100)"),
                "placed": .expression("(placed AT TIME ZONE 'UTC')"), "size": .constant("5"), "empty": .constant(nil),
                // Not another time, or another number, whenever somebody looks.
                "at": .constant(nil), "number": .constant(nil), "required": .constant("1"),
                // A cast of an enumeration is not for ever the same: labels may be renamed.
                "state": .expression("(CASE state WHEN 'sad' THEN 'sad' ELSE 'ok' END)"),
            ]
            for (name, source) in expected {
                #expect(shape.columns.first { $0.name == name }?.source == source, "\(name)")
            }
            // Only what nothing is made of has no place.
            #expect(shape.unkept.map(\.name) == ["size", "empty", "at", "number"])
            let report = PlanReport(plan: plan).text
            #expect(report.contains("until the cut-over, written to through triggers"), "\(report)")
            #expect(report.contains("a value of its own for size, empty, at, number is refused"), "\(report)")
        }
    }

    @Test(
        arguments: [
            (
                """
                ALTER price TYPE int USING price * 100, ALTER state TYPE text, ALTER placed TYPE timestamp, ALTER id TYPE numeric, DROP needed,
                ADD double int GENERATED ALWAYS AS (base * 4) STORED
                """, [],
                [
                    "price": "--reverse 'price=EXPRESSION'", "state": "--reverse 'state=EXPRESSION'",
                    "placed": "session's settings", "id": "part of the key", "needed": "NOT NULL without a default",
                    "double": "generated in the new table",
                ]
            ),
            (
                "ALTER placed TYPE timestamp USING placed AT TIME ZONE 'UTC'", ["placed=placed"],
                ["placed": "of the new row depends"]
            ),
        ] as [(String, [String], [String: String])])
    func whatIsRefused(clauses: String, reverse: [String], says: [String: String]) async throws {
        try await PlanServers.each(setup: Self.setup) { database in
            let refusals = try await database.refusals(request("ALTER TABLE orders \(clauses)", reverse))
            #expect(Set(refusals.map(\.code)) == ["compat-view"], "\(refusals)")
            // One column may be refused for two reasons.
            #expect(Set(refusals.map(\.object)) == Set(says.keys.map { "public.orders.\($0)" }), "\(refusals)")
            for (column, text) in says {
                let found = refusals.filter { $0.object == "public.orders.\(column)" }
                #expect(found.contains { "\($0)".contains(text) }, "\(refusals)")
            }
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

    /// PostgreSQL has seen the view of the new shape when the plan is shown.
    @Test func bothShapes() async throws {
        try await PlanServers.each(setup: Self.setup) { database in
            let plan = try await database.dryRun(request("ALTER TABLE orders ALTER id TYPE bigint", [], [.old, .new]))
            #expect(
                plan.compatShapes.map { "\($0.kind) \($0.view) \($0.goesWithExchange)" } == [
                    "old orders_old.orders false", "new orders_new.orders true",
                ])
            #expect(plan.dependants.map(\.name) == ["view orders_new.orders of --compat-view"])
            // On the way back the old one goes, and of the new one nothing is known.
            let back = try #require(plan.tables.first).reversed(blueSchema: "orders_blue")
            #expect(back.compat.map { "\($0.kind) \($0.goesWithExchange)" } == ["old true"])
        }
    }

    /// Names and defaults that have to be quoted, and a column that is gone from the table.
    @Test func oddNames() async throws {
        let setup = """
            CREATE TABLE "o%d""d" ("i'd" int PRIMARY KEY, gone int, "pri ce" int, "no%te" text); ALTER TABLE "o%d""d" DROP gone
            """
        try await PlanServers.each(setup: setup) { database in
            let plan = try await database.dryRun(
                MigrationRequest(
                    change: .script(
                        """
                        ALTER TABLE "o%d""d" RENAME "no%te" TO "no""te";
                        ALTER TABLE "o%d""d" ALTER "i'd" TYPE bigint, ALTER "pri ce" TYPE int USING "pri ce" * 100,
                            ADD "sta'te" text DEFAULT 'it''s 5%'
                        """), strategy: .shadow,
                    reverse: [ReverseExpression(column: "\"pri ce\"", expression: "\"pri ce\" / 100")],
                    compatViews: [.new]))
            #expect(plan.compatShapes.first?.unkept.map(\.name) == ["sta'te"])
        }
    }
}
