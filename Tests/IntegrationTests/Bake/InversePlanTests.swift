import FoundationEssentials
import PgConnection
import Testing

@testable import ShadowAlter

/// What the plan knows of the way back: what is inverted by itself, what has to be told, and what is refused.
@Suite struct InversePlanTests {
    private static let orders = """
        CREATE TYPE mood AS ENUM ('sad', 'ok');
        CREATE TABLE orders (
            id int PRIMARY KEY, price int, placed timestamp, state mood, note varchar(20), legacy int NOT NULL,
            base int, total int GENERATED ALWAYS AS (base * 2) STORED, no int GENERATED ALWAYS AS IDENTITY, code text NOT NULL DEFAULT 'c');
        INSERT INTO orders (id, price, state, legacy) SELECT n, n, 'ok', n FROM generate_series(1, 10) n;
        """

    private func request(_ clauses: String, _ reverse: [String] = []) -> MigrationRequest {
        MigrationRequest(
            change: .script("ALTER TABLE orders \(clauses)"), strategy: .shadow,
            reverse: reverse.compactMap { ReverseExpression(text: $0) })
    }

    /// An assignment that led there leads back; anything else has to be told.
    @Test(
        arguments: [
            ("ALTER price TYPE bigint", "price", nil), ("ALTER price TYPE bigint USING price", "price", nil),
            ("ALTER price TYPE numeric(20, 2) USING (orders.price)::numeric(12, 2)", "price", nil),
            ("ALTER price TYPE bigint USING CAST((price) AS pg_catalog.int8)", "price", nil),
            ("ALTER price TYPE int USING price * 100", "price", "more than a cast"),
            ("ALTER price TYPE bigint USING price + 0", "price", "more than a cast"),
            ("ALTER price TYPE bigint USING legacy", "price", "more than a cast"),
            ("ALTER price TYPE numeric USING price::smallint::numeric", "price", "more than a cast"),
            ("ALTER placed TYPE timestamptz", "placed", nil),
            ("ALTER placed TYPE timestamptz USING placed AT TIME ZONE 'UTC'", "placed", "more than a cast"),
            (
                "ALTER state TYPE text", "state",
                "PostgreSQL says: column \"state\" is of type mood but expression is of type text"
            ),
            ("ALTER note TYPE text", "note", nil),
            ("ALTER note TYPE int USING note::int", "note", nil),
            ("ALTER note TYPE int USING length(note)", "note", "more than a cast"),
            ("ALTER note TYPE boolean USING note::boolean", "note", nil),
        ] as [(String, String, String?)])
    func whatIsInvertedByItself(clauses: String, column: String, why: String?) async throws {
        try await PlanServers.each(setup: Self.orders) { database in
            let plan = try await database.dryRun(request(clauses))
            let inverse = try #require(plan.tables.first).inverse
            let source = inverse.columns.first { $0.name == column }?.source
            guard let why else {
                #expect(source == .expression(Quoting.identifier(column)), "\(clauses): \(String(describing: source))")
                #expect(inverse.isPossible)
                return
            }
            guard case .impossible(let said)? = source else {
                Issue.record("\(clauses): \(String(describing: source))")
                return
            }
            #expect(said.contains(why) && said.contains("--reverse '\(column)=EXPRESSION'"), "\(said)")
            #expect(inverse.obstacles == ["column \(column): \(said)"])
            #expect(PlanReport(plan: plan).text.contains("way back   none\n  not possible: column \(column): \(said)"))
            #expect(throws: MigrationError.self) { try plan.tables[0].reversed(blueSchema: "b") }
        }
    }

    @Test func thePlanShowsIt() async throws {
        try await PlanServers.each(setup: Self.orders) { database in
            let plan = try await database.dryRun(
                request(
                    "ALTER id TYPE bigint, ALTER price TYPE int USING price * 100, DROP legacy, DROP no, DROP code, ALTER note DROP NOT NULL, ADD extra int, "
                        + "ADD given text, ADD shown text GENERATED ALWAYS AS (given || '!') STORED",
                    ["price=price / 100", "note=given::varchar(20)"]))
            let report = PlanReport(plan: plan).text
            let lines = """
                way back   the old rows, made of the new ones
                  id ← id (bigint to integer; what integer cannot hold cannot go back)
                  price ← (price / 100)
                  note ← (given::varchar(20))
                  legacy keeps what it has; a new row gets NULL
                  total, computed by PostgreSQL
                  no keeps what it has; a new row gets NULL
                  code keeps what it has; a new row gets 'c'::text
                  3 columns as they are
                  would be lost: extra
                  legacy is NOT NULL and has no default: a row that is inserted after the cut-over cannot go back, unless --reverse \
                'legacy=EXPRESSION' tells its value
                  no is an identity: a new row gets its next number
                """
            #expect(report.contains(lines), "\(report)")
            let json = String(decoding: try JSONEncoder().encode(PlanDocument(plan: plan)), as: UTF8.self)
            #expect(json.contains(#""lost":["extra"]"#))
        }
    }

    @Test(
        arguments: [
            (["nothing=1"], "public.orders.nothing", "the old table has no such column"),
            (["added=1"], "public.orders.added", "the old table has no such column"),
            (["price=missing"], "public.orders.price", "column \"missing\" does not exist"),
            (["price=note"], "public.orders.price", "is of type integer but expression is of type"),
            (["price=1 +"], "public.orders.price", "syntax error"),
            (["price=max(price)"], "public.orders.price", "aggregate functions are not allowed"),
            (["price=generate_series(1, 2)"], "public.orders.price", "set-returning functions are not allowed"),
            (["price=(random() * 5)::int"], "public.orders.price", "volatile function"),
            (["total=1"], "public.orders.total", "generated"),
            (["price=1", "PRICE=2"], "public.orders.price", "two values"),
            (["orders.price=1", "elsewhere.price=2"], "--reverse", "no column of a table that is changed"),
            (["a.b.c.=1"], "--reverse", "no name of a column"),
        ] as [([String], String, String)])
    func whatCannotBeReversedIsRefused(reverse: [String], object: String, says: String) async throws {
        try await PlanServers.each(setup: Self.orders) { database in
            let refusals = try await database.refusals(request("ALTER id TYPE bigint, ADD added int", reverse))
            #expect(refusals.map(\.code) == ["reverse"] && refusals.map(\.object) == [object], "\(refusals)")
            #expect(refusals.contains { "\($0)".contains(says) }, "\(refusals)")
        }
    }

    /// With several tables the name says which.
    @Test func ofSeveralTablesTheNameSaysWhich() async throws {
        let setup = """
            CREATE TABLE a (id int PRIMARY KEY, "No" int); CREATE TABLE b (id int PRIMARY KEY, "No" int);
            """
        let change =
            "ALTER TABLE a ALTER \"No\" TYPE int USING \"No\" + 1; ALTER TABLE b ALTER \"No\" TYPE int USING \"No\" + 2"
        @Sendable func request(_ reverse: String...) -> MigrationRequest {
            MigrationRequest(
                change: .script(change), name: "two", reverse: reverse.compactMap { ReverseExpression(text: $0) })
        }
        try await PlanServers.each(setup: setup) { database in
            let plan = try await database.dryRun(request("public.a.\"No\"=\"No\" - 1", "b.\"No\" = b.\"No\" - 2"))
            let found = plan.tables.map { $0.inverse.columns.last?.source }
            #expect(found == [.expression("(\"No\" - 1)"), .expression("(b.\"No\" - 2)")])
            let refusals = try await database.refusals(request("\"No\"=1"))
            #expect(refusals.map(\.code) == ["reverse"] && refusals[0].what.contains("which table"), "\(refusals)")
        }
    }

    /// Old rows must be found by what the change stream tells of the new table.
    @Test(
        arguments: [
            (
                "DROP CONSTRAINT orders_pkey, ADD UNIQUE (id), ADD PRIMARY KEY (legacy)", [],
                "the change stream tells of the new table's key (legacy), and the old rows are found by (id)"
            ),
            ("DROP CONSTRAINT orders_pkey, ADD UNIQUE (id)", [], "names no usable key"),
            (
                "ALTER id TYPE text USING 'x' || id", ["id=legacy"],
                "key column id is computed from legacy, which is no part of the new table's key"
            ),
            ("ALTER id TYPE text USING 'x' || id", [], "column id: the USING expression of id is more than a cast"),
            ("DROP CONSTRAINT orders_pkey, ADD UNIQUE (id), REPLICA IDENTITY FULL", [], nil),
        ] as [(String, [String], String?)])
    func theKeyLeadsBackOrThereIsNoWay(clauses: String, reverse: [String], obstacle: String?) async throws {
        try await PlanServers.each(setup: Self.orders) { database in
            let plan = try await database.dryRun(request(clauses, reverse))
            let inverse = plan.tables[0].inverse
            guard let obstacle else {
                #expect(inverse.isPossible && inverse.publishesWholeRows)
                return
            }
            #expect(inverse.obstacles.contains { $0.contains(obstacle) }, "\(inverse.obstacles)")
        }
    }

    /// A partitioned table's partitions each have their way; a table that becomes partitioned has none.
    @Test func partitions() async throws {
        let setup = """
            CREATE TABLE orders (id int, at int, PRIMARY KEY (id, at)) PARTITION BY RANGE (at);
            CREATE TABLE orders_1 PARTITION OF orders FOR VALUES FROM (1) TO (5);
            CREATE TABLE orders_2 (at int NOT NULL, id int NOT NULL); ALTER TABLE orders ATTACH PARTITION orders_2 FOR VALUES FROM (5) TO (9);
            """
        try await PlanServers.each(setup: setup) { database in
            let plan = try await database.dryRun(
                request("ALTER id TYPE bigint USING id + 1, ADD extra int", ["id=id - 1"]))
            #expect(plan.tables.count == 2)
            for table in plan.tables {
                #expect(table.inverse.isPossible && table.inverse.lost == ["extra"], "\(table.inverse)")
                #expect(table.inverse.columns.first { $0.name == "id" }?.source == .expression("(id - 1)"))
            }
        }
        let single = "CREATE TABLE orders (id int, at int, PRIMARY KEY (id, at))"
        try await PlanServers.each(setup: single) { database in
            let plan = try await database.dryRun(
                MigrationRequest(
                    change: .script(
                        """
                        DROP TABLE orders; CREATE TABLE orders (id int, at int, PRIMARY KEY (id, at)) PARTITION BY RANGE (at);
                        CREATE TABLE orders_1 PARTITION OF orders DEFAULT
                        """)))
            #expect(plan.tables[0].inverse.obstacles == ["the new table is partitioned and the old one is not"])
        }
    }

    @Test func whereNoOldTableIsLeftItSaysSo() async throws {
        try await PlanServers.each(setup: Self.orders) { database in
            var request = request("ALTER note TYPE text", ["note=left(note, 20)"])
            request.strategy = .auto
            let plan = try await database.dryRun(request)
            #expect(plan.strategy == .native && plan.warnings.contains { $0.hasPrefix("--reverse has no effect") })
        }
    }

    /// A plan from before there were inverse mappings can be read, and has none.
    @Test func anOldPlanIsRead() async throws {
        try await PlanServers.each(setup: Self.orders) { database in
            let plan = try await database.dryRun(request("ALTER id TYPE bigint"))
            let encoded = try JSONEncoder().encode(plan)
            #expect(try JSONDecoder().decode(MigrationPlan.self, from: encoded) == plan)
            var old = try await old(encoded, on: database)
            #expect(old.tables[0].inverse == .notPlanned && old.request.reverse.isEmpty)
            old.tables[0].inverse = plan.tables[0].inverse
            #expect(old == plan)
        }
    }

    private func old(_ plan: Data, on database: PlanDatabase) async throws -> MigrationPlan {
        let text = Quoting.literal(String(decoding: plan, as: UTF8.self))
        let old = try #require(
            try await database.text("SELECT \(text)::jsonb #- '{tables,0,inverse}' #- '{request,reverse}'"))
        return try JSONDecoder().decode(MigrationPlan.self, from: Data(old.utf8))
    }
}
