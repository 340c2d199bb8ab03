import PgConnection
import Testing

@testable import ShadowAlter

/// The planner on real servers: what each kind of change becomes.
@Suite struct PlanTests {
    private static let orders = """
        CREATE TYPE mood AS ENUM ('sad', 'ok');
        CREATE TABLE orders (
            id int PRIMARY KEY, customer text NOT NULL, gone int, total numeric(10, 2), placed timestamp, doc json, state mood,
            code varchar(20), digits text);
        ALTER TABLE orders DROP COLUMN gone;
        CREATE INDEX orders_customer ON orders (customer);
        INSERT INTO orders SELECT n, 'c' || n, n, '2020-01-01', '{}', 'ok', 'x', n FROM generate_series(1, 10) n;
        ANALYZE orders;
        """

    private func expression(_ plan: MigrationPlan, _ column: String) -> String? {
        plan.tables.first?.mapping.columns.first { $0.green == column }?.expression
    }

    @Test func widensTheKey() async throws {
        try await PlanServers.each(setup: Self.orders) { database in
            let plan = try await database.dryRun("ALTER COLUMN id TYPE bigint")
            #expect(plan.strategy == .shadow)
            #expect(plan.name == "orders" && plan.greenSchema == "orders_green" && plan.blueSchema == "orders_blue")
            let table = try #require(plan.tables.first)
            #expect(table.source.description == "public.orders" && table.green.description == "orders_green.orders")
            let key = try #require(table.key.first)
            #expect(table.key.count == 1)
            #expect(key.source == "id" && key.mapped == "id" && key.green == "id" && key.expression == "\"id\"")
            #expect(key.sourceType == "integer" && key.greenType == "bigint" && key.greenCollation == nil)
            #expect(table.indexes.map(\.name).sorted() == ["orders_customer", "orders_pkey"])
            #expect(table.indexes.filter(\.isKey).map(\.name) == ["orders_pkey"])
            #expect(
                table.indexes.first(where: \.isKey)?.definition
                    == #"CREATE UNIQUE INDEX "orders_pkey" ON "orders_green"."orders" USING btree (id)"#)
            #expect(
                table.afterIndexes == [
                    "ALTER TABLE \"orders_green\".\"orders\" ADD CONSTRAINT \"orders_pkey\" PRIMARY KEY USING INDEX \"orders_pkey\""
                ])
            #expect(
                table.mapping.sourceNames == ["id", "customer", "total", "placed", "doc", "state", "code", "digits"])
            #expect(table.estimatedRows == 10)
            #expect(!table.publishesWholeRows)
        }
    }

    @Test(arguments: [
        ("ALTER COLUMN customer TYPE varchar(9)", "customer", "\"customer\""),
        ("ALTER COLUMN total TYPE numeric(12, 4)", "total", "\"total\""),
        (
            "ALTER placed SET DATA TYPE timestamptz USING placed AT TIME ZONE 'UTC'", "placed",
            "(placed AT TIME ZONE 'UTC')"
        ),
        ("ALTER doc TYPE jsonb", "doc", "\"doc\""),
        ("ALTER state TYPE text", "state", "\"state\""),
        ("ALTER digits TYPE int USING orders.digits::int, DROP code", "digits", "(orders.digits::int)"),
        ("ALTER customer TYPE text COLLATE \"C\"", "customer", "\"customer\""),
    ])
    func rewritesIntoAShadow(clauses: String, column: String, expression wanted: String) async throws {
        try await PlanServers.each(setup: Self.orders) { database in
            let plan = try await database.dryRun(clauses)
            #expect(plan.strategy == .shadow, "\(clauses): \(plan.strategyReason)")
            #expect(expression(plan, column) == wanted)
        }
    }

    @Test(arguments: [
        "ALTER COLUMN code TYPE text", "ALTER code TYPE varchar(30)", "RENAME COLUMN code TO kode", "DROP COLUMN code",
        "ADD COLUMN flag boolean NOT NULL DEFAULT false", "ADD COLUMN note text", "ALTER code SET DEFAULT 'y'",
        "ADD CHECK (total > 0) NOT VALID",
    ])
    func leavesCatalogChangesToPostgres(clauses: String) async throws {
        try await PlanServers.each(setup: Self.orders) { database in
            let plan = try await database.dryRun(clauses)
            #expect(plan.strategy == .native, "\(clauses): \(plan.strategyReason)")
            #expect(plan.nativeStatements == ["ALTER TABLE \"public\".\"orders\" \(clauses)"])
            let shadow = try await database.dryRun(clauses, strategy: .shadow)
            #expect(shadow.strategy == .shadow && shadow.nativeStatements.isEmpty)
        }
    }

    @Test(arguments: [
        "ADD COLUMN token uuid DEFAULT gen_random_uuid()", "ALTER total SET NOT NULL", "ADD CHECK (total > 0)",
        "ADD UNIQUE (code)", "ADD COLUMN n bigint GENERATED ALWAYS AS IDENTITY",
        "ADD COLUMN twice numeric GENERATED ALWAYS AS (total * 2) STORED",
    ])
    func scansAndBuildsAreNotForTheLiveTable(clauses: String) async throws {
        try await PlanServers.each(setup: Self.orders) { database in
            let plan = try await database.dryRun(clauses)
            #expect(plan.strategy == .shadow)
            let refusals = try await database.refusals(clauses, strategy: .native)
            #expect(refusals.map(\.code) == ["strategy"])
        }
    }

    @Test func leavesAddedAndGeneratedColumnsToTheirDefaults() async throws {
        try await PlanServers.each(setup: Self.orders) { database in
            let plan = try await database.dryRun(
                "ADD token uuid DEFAULT gen_random_uuid(), ADD twice numeric GENERATED ALWAYS AS (total * 2) STORED, DROP doc"
            )
            let columns = try #require(plan.tables.first?.mapping.columns.map(\.green))
            #expect(columns == ["id", "customer", "total", "placed", "state", "code", "digits"])
            #expect(plan.warnings.contains { $0.contains("token") })
        }
    }

    @Test func mapsNamesAsTheUsingKnowsThem() async throws {
        try await PlanServers.each(setup: Self.orders) { database in
            let plan = try await database.dryRun(
                MigrationRequest(
                    change: .script(
                        """
                        ALTER TABLE orders RENAME COLUMN id TO number;
                        ALTER TABLE orders DROP COLUMN doc;
                        ALTER TABLE orders ALTER number TYPE text USING number::text, ALTER digits TYPE int USING digits::int;
                        CREATE INDEX orders_digits ON orders (digits);
                        COMMENT ON COLUMN orders.number IS 'the number';
                        """)))
            let table = try #require(plan.tables.first)
            #expect(plan.strategy == .shadow)
            #expect(table.mapping.sourceNames.first == "number")
            #expect(table.mapping.sourceNames.contains("shadow_alter_dropped_5"))
            let key = try #require(table.key.first)
            #expect(key.source == "id" && key.mapped == "number" && key.green == "number")
            #expect(key.expression == "(number::text)" && key.greenType == "text")
            #expect(key.greenCollation == "pg_catalog.\"default\"")
            #expect(table.indexes.contains { $0.name == "orders_digits" })
        }
    }

    @Test func rebuildsATableWithAwkwardNames() async throws {
        let long = String(repeating: "é", count: 28) + "x"
        let setup = """
            CREATE SCHEMA "My ""S";
            CREATE TABLE "My ""S"."\(long)" ("a ""b" int, "select" uuid, "\(String(repeating: "k", count: 63))" text COLLATE "C",
                serial serial, PRIMARY KEY ("select", "\(String(repeating: "k", count: 63))"));
            """
        try await PlanServers.each(setup: setup) { database in
            let plan = try await database.dryRun("", table: "\"My \"\"S\".\"\(long)\"", strategy: .shadow)
            let table = try #require(plan.tables.first)
            #expect(plan.greenSchema == long + "_green" && plan.greenSchema.utf8.count == 63)
            #expect(table.key.map(\.source) == ["select", String(repeating: "k", count: 63)])
            #expect(table.key.map(\.greenCollation) == [nil, "pg_catalog.\"C\""])
            #expect(table.sequences.count == 1)
        }
    }
}
