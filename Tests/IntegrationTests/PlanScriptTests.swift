import PgConnection
import Testing

@testable import ShadowAlter

/// Scripts that change several tables, on real servers.
@Suite struct PlanScriptTests {
    private static let shop = """
        CREATE TABLE users (id int PRIMARY KEY, email text);
        CREATE TABLE orders (id bigint PRIMARY KEY, user_id int, code varchar(9));
        CREATE TABLE sessions (token text PRIMARY KEY, user_id int);
        CREATE TABLE other (id int PRIMARY KEY, n int);
        CREATE INDEX users_email ON users (email);
        CREATE INDEX orders_user ON orders (user_id);
        CREATE STATISTICS sessions_both ON token, user_id FROM sessions;
        INSERT INTO users SELECT n FROM generate_series(1, 9) n;
        """

    private func request(
        _ script: String, name: String? = "wide", strategy: MigrationRequest.Strategy = .auto
    ) -> MigrationRequest {
        MigrationRequest(change: .script(script), name: name, strategy: strategy)
    }

    @Test func everyTableHasAPlanOfItsOwn() async throws {
        try await PlanServers.each(setup: Self.shop) { database in
            let plan = try await database.dryRun(
                request(
                    """
                    ALTER TABLE orders ALTER user_id TYPE bigint USING user_id + 1;
                    ALTER TABLE sessions RENAME user_id TO owner;
                    ALTER TABLE users ALTER COLUMN id TYPE bigint;
                    ALTER TABLE sessions ALTER owner TYPE bigint;
                    CREATE INDEX orders_code ON orders (code);
                    """))
            #expect(plan.name == "wide" && plan.greenSchema == "wide_green" && plan.strategy == .shadow)
            #expect(plan.tables.map(\.source.name) == ["users", "orders", "sessions"], "in the order of their OIDs")
            #expect(plan.tables.allSatisfy { $0.green.schema == "wide_green" && $0.green.name == $0.source.name })
            #expect(plan.tables.map { $0.key.map(\.greenType) } == [["bigint"], ["bigint"], ["text"]])
            let expressions = plan.tables.map { $0.mapping.columns.map(\.expression) }
            #expect(
                expressions == [
                    ["\"id\"", "\"email\""], ["\"id\"", "(user_id + 1)", "\"code\""], ["\"token\"", "\"user_id\""],
                ])
            #expect(plan.tables[2].mapping.columns.map(\.green) == ["token", "owner"])
            #expect(plan.tables[1].indexes.map(\.name).sorted() == ["orders_code", "orders_pkey", "orders_user"])
            #expect(Set(plan.tables.map(\.fingerprint)).count == 3)
            #expect(plan.strategyReason.contains("public.users:") && plan.strategyReason.contains("public.orders:"))
        }
    }

    /// Each of these names exactly the tables `orders` and one more.
    @Test(arguments: [
        ("CREATE INDEX ON users (email)", "users"), ("DROP INDEX users_email", "users"),
        ("ALTER INDEX users_email RENAME TO users_mail", "users"), ("COMMENT ON COLUMN users.email IS 'x'", "users"),
        ("COMMENT ON TABLE sessions IS 'x'", "sessions"), ("DROP STATISTICS sessions_both", "sessions"),
        ("CREATE STATISTICS s ON id, n FROM other", "other"),
        ("COMMENT ON CONSTRAINT other_pkey ON other IS 'x'", "other"),
    ])
    func tablesAreNamedByOtherStatements(statement: String, table: String) async throws {
        try await PlanServers.each(setup: Self.shop) { database in
            let plan = try await database.dryRun(request("ALTER TABLE orders ALTER user_id TYPE bigint; \(statement)"))
            #expect(Set(plan.tables.map(\.source.name)) == ["orders", table])
            #expect(plan.strategy == .shadow)
        }
    }

    @Test func whatTheScriptMakesIsNotLookedForElsewhere() async throws {
        let setup =
            Self.shop
            + "CREATE SCHEMA archive; CREATE TABLE archive.old (n int PRIMARY KEY); CREATE INDEX fresh ON archive.old (n);"
        try await PlanServers.each(setup: setup) { database in
            try await database.execute("ALTER DATABASE \(database.name) SET search_path = public, archive")
            let plan = try await database.dryRun(
                request(
                    "CREATE INDEX fresh ON orders (code); COMMENT ON INDEX fresh IS 'x'; ALTER TABLE orders ALTER user_id TYPE bigint",
                    name: nil))
            #expect(plan.tables.map(\.source.name) == ["orders"] && plan.name == "orders")
        }
    }

    @Test func nativeOnlyWhenNoTableNeedsWork() async throws {
        let cheap = "ALTER TABLE orders ALTER code TYPE text; COMMENT ON TABLE users IS 'people'"
        try await PlanServers.each(setup: Self.shop) { database in
            let native = try await database.dryRun(request(cheap))
            #expect(native.strategy == .native && native.tables.count == 2)
            #expect(
                native.nativeStatements == [
                    "ALTER TABLE orders ALTER code TYPE text", "COMMENT ON TABLE users IS 'people'",
                ])
            let mixed = request(cheap + "; ALTER TABLE users ALTER id TYPE bigint")
            let shadow = try await database.dryRun(mixed)
            #expect(shadow.strategy == .shadow && shadow.tables.count == 2)
            #expect(shadow.strategyReason.hasPrefix("public.users: "))
            let refusals = try await database.refusals(request(mixed.script, strategy: .native))
            #expect(refusals.map(\.code) == ["strategy"])
        }
    }

    @Test(arguments: [
        (
            "ALTER TABLE users ALTER id TYPE bigint; ALTER TABLE orders ALTER user_id TYPE bigint", nil, "name-needed",
            "--name"
        ),
        (
            "ALTER TABLE users ALTER id TYPE bigint; ALTER TABLE public.orders ALTER user_id TYPE bigint", "wide",
            "unsupported-change", "public.orders"
        ),
        (
            "ALTER TABLE users ALTER id TYPE bigint; CREATE INDEX ON public.orders (code)", "wide",
            "unsupported-change", "public.orders"
        ),
        (
            "ALTER TABLE users ALTER id TYPE bigint; CREATE STATISTICS public.s ON id, email FROM users", "wide",
            "unsupported-change", "public.s"
        ),
        (
            "ALTER TABLE users ALTER id TYPE bigint; ALTER TABLE nobody ALTER x TYPE int", "wide", "unknown-table",
            "nobody"
        ),
        (
            "ALTER TABLE users ALTER id TYPE bigint; COMMENT ON SCHEMA public IS NULL", "wide", "unsupported-change",
            "COMMENT ON SCHEMA"
        ),
        (
            "ALTER TABLE users ALTER id TYPE bigint; ALTER TABLE orders ADD FOREIGN KEY (user_id) REFERENCES users",
            "wide", "unsupported-change", "foreign key"
        ),
        (
            "ALTER TABLE users ALTER id TYPE bigint; ALTER TABLE orders ALTER nix TYPE int", "wide", "sql-rejected",
            "nix"
        ),
        (
            "ALTER TABLE users ALTER id TYPE bigint; ALTER TABLE orders DROP COLUMN id", "wide", "key-not-mappable",
            "orders"
        ),
        ("ALTER TABLE users ALTER id TYPE bigint; DROP TABLE orders", "wide", "unsupported-change", "orders"),
        (
            "ALTER TABLE users ALTER id TYPE bigint; CREATE INDEX other_n ON orders (code)", "wide", "name-taken",
            "public.other_n"
        ),
        (
            "ALTER TABLE users ALTER id TYPE bigint, ADD CONSTRAINT other_n UNIQUE (email)", nil, "name-taken",
            "public.other_n"
        ),
        (
            "ALTER TABLE users ALTER id TYPE bigint; ALTER TABLE users_email SET (fillfactor = 70)", "wide",
            "unsupported-change", "belongs to public.users"
        ),
        (
            "ALTER TABLE users ALTER id TYPE bigint; COMMENT ON SEQUENCE numbered_id_seq IS 'shared'", "wide",
            "sequence",
            "public.numbered_id_seq"
        ),
        (
            "ALTER TABLE users ALTER id TYPE bigint; ALTER TABLE numbered_id_seq OWNER TO CURRENT_USER", "wide",
            "sequence", "public.numbered_id_seq"
        ),
        ("", "wide", "unsupported-change", "names no table"),
    ])
    func isRefused(script: String, name: String?, code: String, says: String) async throws {
        try await PlanServers.each(
            setup: Self.shop + "CREATE INDEX other_n ON other (n); CREATE TABLE numbered (id serial PRIMARY KEY);"
        ) { database in
            let refusals = try await database.refusals(request(script, name: name))
            #expect(refusals.map(\.code).contains(code), "\(refusals)")
            #expect(refusals.contains { $0.description.contains(says) }, "\(refusals)")
        }
    }

    /// Every table is looked at, and every refusal of every table is said at once.
    @Test func preflightLooksAtEveryTable() async throws {
        let setup = Self.shop + "ALTER TABLE users SET UNLOGGED; ALTER TABLE orders REPLICA IDENTITY NOTHING;"
        try await PlanServers.each(setup: setup) { database in
            let refusals = try await database.refusals(
                request("ALTER TABLE users ALTER id TYPE bigint; ALTER TABLE orders ALTER user_id TYPE bigint"))
            #expect(refusals.contains { $0.object == "public.users" }, "\(refusals)")
            #expect(refusals.contains { $0.object == "public.orders" }, "\(refusals)")
        }
    }

    @Test func tablesOfTwoSchemasMayNotShareNames() async throws {
        let setup = """
            CREATE SCHEMA a; CREATE SCHEMA b;
            CREATE TABLE a.t (id int PRIMARY KEY); CREATE TABLE b.t (id int PRIMARY KEY); CREATE INDEX t_hidden ON b.t (id);
            CREATE TABLE a.u (id int CONSTRAINT same PRIMARY KEY); CREATE TABLE b.v (id int CONSTRAINT same PRIMARY KEY);
            CREATE TABLE a.w (id int PRIMARY KEY); CREATE TABLE b.x (id int PRIMARY KEY);
            """
        try await PlanServers.each(setup: setup) { database in
            try await database.execute("ALTER DATABASE \(database.name) SET search_path = a, b")
            // The table b.t is hidden by a.t, and yet named by its index.
            let tables = try await database.refusals(request("ALTER TABLE t ALTER id TYPE bigint; DROP INDEX t_hidden"))
            #expect(Set(tables.map(\.code)) == ["same-name"] && tables.contains { $0.object == "t" }, "\(tables)")
            #expect(tables.contains { $0.what.contains("a.t and b.t") })
            let indexes = try await database.refusals(
                request("ALTER TABLE u ALTER id TYPE bigint; ALTER TABLE v ALTER id TYPE bigint"))
            #expect(indexes.map(\.object) == ["same"], "\(indexes)")
            let plan = try await database.dryRun(
                request("ALTER TABLE w ALTER id TYPE bigint; ALTER TABLE x ALTER id TYPE bigint"))
            #expect(plan.tables.map(\.source.description) == ["a.w", "b.x"])
        }
    }

    /// An index's name may go from one table to the other.
    @Test func aNameMayChangeItsTable() async throws {
        try await PlanServers.each(setup: Self.shop) { database in
            let plan = try await database.dryRun(
                request(
                    "DROP INDEX users_email; CREATE INDEX users_email ON orders (code); ALTER TABLE users ALTER id TYPE bigint"
                ))
            #expect(plan.tables.map { $0.indexes.map(\.name).contains("users_email") } == [false, true])
        }
    }
}

extension MigrationRequest {
    fileprivate var script: String {
        if case .script(let text) = change { text } else { "" }
    }
}
