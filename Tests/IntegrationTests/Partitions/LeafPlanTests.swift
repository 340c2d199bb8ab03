import PgConnection
import Testing

@testable import ShadowAlter

/// What a single partition cannot become is refused before anything is touched.
@Suite struct PartitionLeafPlanTests {
    private static let orders = """
        CREATE TABLE orders (id int NOT NULL, region text NOT NULL, note text, PRIMARY KEY (id, region)) PARTITION BY LIST (region);
        CREATE TABLE orders_north PARTITION OF orders FOR VALUES IN ('n');
        CREATE TABLE orders_rest PARTITION OF orders DEFAULT;
        CREATE INDEX orders_note ON orders (note);
        """

    @Test(arguments: [
        ("ALTER note TYPE varchar(10)", "different type for column \"note\""),
        ("ALTER note TYPE varchar(10)", "change the whole partitioned table: --table public.orders"),
        ("ADD COLUMN more int", "contains column \"more\" not found in parent"),
        ("DROP COLUMN note", "child table is missing column \"note\""),
        ("RENAME COLUMN note TO remark", "remark"),
        ("DROP CONSTRAINT orders_north_pkey, ADD PRIMARY KEY (region, id)", "multiple primary keys"),
        ("ADD UNIQUE (id, region)", "orders_north_id_region_key, orders_north_pkey are alike"),
    ])
    func whatTheTreeDoesNotTake(clauses: String, says: String) async throws {
        try await PlanServers.each(setup: Self.orders) { database in
            for strategy in [MigrationRequest.Strategy.auto, .shadow] {
                let refusals = try await database.refusals(clauses, table: "orders_north", strategy: strategy)
                #expect(refusals.map(\.code) == ["partition-mismatch"])
                #expect(refusals.map(\.object) == ["public.orders_north"])
                #expect(refusals.contains { $0.description.contains(says) }, "\(refusals)")
            }
        }
    }

    @Test func anIndexThatIsAttachedMustStay() async throws {
        try await PlanServers.each(setup: Self.orders) { database in
            let refusals = try await database.refusals(
                MigrationRequest(
                    change: .script("ALTER TABLE orders_north SET (fillfactor = 70); DROP INDEX orders_north_note_idx"))
            )
            #expect(refusals.map(\.code) == ["partition-mismatch"])
            #expect(refusals.first?.what.contains("could be attached to orders_note of public.orders") == true)
        }
    }

    @Test func whatPostgresChangesInItsCatalogsOnly() async throws {
        try await PlanServers.each(setup: Self.orders) { database in
            let plan = try await database.dryRun("SET (fillfactor = 70)", table: "orders_north")
            #expect(plan.strategy == .native)
            #expect(plan.tables.map(\.green.description) == ["orders_north_green.orders_north"])
        }
    }

    @Test func aLargeDefaultPartitionNeedsAProof() async throws {
        let setup = Self.orders + "INSERT INTO orders SELECT n, 'x', repeat('x', 500) FROM generate_series(1, 20000) n;"
        try await PlanServers.each(setup: setup) { database in
            let refusals = try await database.refusals("", table: "orders_north", strategy: .shadow)
            #expect(refusals.map(\.code) == ["default-partition"])
            let fix = try #require(refusals.first?.fix)
            #expect(fix.contains(#"ALTER TABLE "public"."orders_rest" ADD CONSTRAINT"#), "\(fix)")
            // What it says helps.
            try await database.execute(fix)
            let plan = try await database.dryRun("", table: "orders_north", strategy: .shadow)
            #expect(plan.dependants.map(\.name) == ["partition public.orders_north of public.orders"])
            // The default partition itself needs none: it is what is attached.
            _ = try await database.dryRun("", table: "orders_rest", strategy: .shadow)
        }
    }

    /// Queries lock the partitioned table first, also where the partition is older.
    @Test func partitionedTablesAreLockedFirst() async throws {
        let setup = """
            CREATE TABLE old (id int PRIMARY KEY);
            CREATE TABLE middle (id int NOT NULL) PARTITION BY RANGE (id);
            CREATE TABLE root (id int NOT NULL) PARTITION BY RANGE (id);
            CREATE TABLE rest (id int NOT NULL);
            ALTER TABLE root ATTACH PARTITION middle FOR VALUES FROM (0) TO (100);
            ALTER TABLE middle ATTACH PARTITION old FOR VALUES FROM (0) TO (10);
            ALTER TABLE middle ATTACH PARTITION rest DEFAULT;
            """
        try await PlanServers.each(setup: setup) { database in
            let plan = try await database.dryRun("", table: "old", strategy: .shadow)
            #expect(LockPlan(plan).all.map(\.relation.name) == ["middle", "old", "rest"])
            let statements = LockPlan(plan).statements(owners: [:])
            #expect(statements.count == 1)
            let report = PlanReport(plan: plan).text
            #expect(
                report.contains("1. table public.middle") && report.contains("partition public.old of public.middle"))
        }
    }
}
