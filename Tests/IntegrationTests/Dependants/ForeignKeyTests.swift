import PgConnection
import Testing
import ThrowawayServer

@testable import ShadowAlter

/// A family of tables with every property that a foreign key can have.
enum Family {
    static let setup = """
        CREATE SCHEMA "Other ""S";
        CREATE TABLE region (code text COLLATE "C" NOT NULL, level int NOT NULL, name text);
        CREATE UNIQUE INDEX region_code ON region (code, level) INCLUDE (name);
        CREATE TABLE "Other ""S"."Cust'omer" ("Id" bigint PRIMARY KEY, email varchar(80) UNIQUE);
        CREATE TABLE account (id int, kind int, PRIMARY KEY (id)) PARTITION BY RANGE (id);
        CREATE TABLE account_1 PARTITION OF account FOR VALUES FROM (0) TO (1000);
        CREATE TABLE account_2 PARTITION OF account FOR VALUES FROM (1000) TO (2000);
        CREATE TABLE orders (
            gone int, id int PRIMARY KEY, parent int, region text COLLATE "C", level int, customer bigint, "E mail" varchar(80), account int,
            code text NOT NULL UNIQUE, spare int UNIQUE DEFERRABLE INITIALLY DEFERRED, note text);
        ALTER TABLE orders DROP COLUMN gone;
        ALTER TABLE orders
            ADD CONSTRAINT orders_parent FOREIGN KEY (parent) REFERENCES orders ON DELETE SET NULL DEFERRABLE INITIALLY DEFERRED,
            ADD CONSTRAINT "orders ""region" FOREIGN KEY (region, level) REFERENCES region (code, level) MATCH FULL ON UPDATE CASCADE,
            ADD CONSTRAINT orders_customer FOREIGN KEY (customer) REFERENCES "Other ""S"."Cust'omer" ON DELETE RESTRICT ON UPDATE SET DEFAULT,
            ADD CONSTRAINT orders_email FOREIGN KEY ("E mail") REFERENCES "Other ""S"."Cust'omer" (email) DEFERRABLE,
            ADD CONSTRAINT orders_account FOREIGN KEY (account) REFERENCES account;
        COMMENT ON CONSTRAINT orders_customer ON orders IS 'who''s it';
        CREATE TABLE line (
            id int PRIMARY KEY, orders_id int NOT NULL REFERENCES orders ON DELETE CASCADE ON UPDATE CASCADE,
            optional int REFERENCES orders ON DELETE SET NULL, code text DEFAULT 'none' REFERENCES orders (code) ON DELETE SET DEFAULT);
        COMMENT ON CONSTRAINT line_code_fkey ON line IS 'by code';
        INSERT INTO region VALUES ('eu', 1, 'Europe'), ('us', 1, 'States');
        INSERT INTO "Other ""S"."Cust'omer" SELECT n, 'c' || n FROM generate_series(1, 50) n;
        INSERT INTO account SELECT n, n FROM generate_series(0, 1999) n;
        INSERT INTO orders (id, parent, region, level, customer, "E mail", account, code, spare)
        SELECT n, nullif(n / 2, 0), CASE WHEN n % 3 = 0 THEN 'eu' END, CASE WHEN n % 3 = 0 THEN 1 END, n % 50 + 1, 'c' || (n % 50 + 1), n,
            'o' || n, n FROM generate_series(1, 1500) n;
        INSERT INTO orders (id, code) VALUES (0, 'none');
        INSERT INTO line SELECT n, n, n - 1, 'o' || n FROM generate_series(1, 1500) n;
        CREATE TABLE old_line (id int PRIMARY KEY, orders_id int);
        INSERT INTO old_line VALUES (1, 1000000);
        ALTER TABLE old_line ADD CONSTRAINT "not valid" FOREIGN KEY (orders_id) REFERENCES orders NOT VALID;
        ALTER TABLE orders ADD CONSTRAINT spare_not_valid FOREIGN KEY (spare) REFERENCES orders NOT VALID;
        """

    /// PostgreSQL 15 and later.
    static let since15 = """
        CREATE TABLE pair (id int PRIMARY KEY, a int, b int, UNIQUE (a, b));
        ALTER TABLE orders ADD COLUMN a int DEFAULT 1, ADD COLUMN b int,
            ADD CONSTRAINT orders_pair FOREIGN KEY (a, b) REFERENCES pair (a, b) ON DELETE SET NULL (b);
        """

    /// PostgreSQL 18 and later: not enforced, of a partitioned table.
    static let since18 = """
        ALTER TABLE orders ADD CONSTRAINT not_enforced FOREIGN KEY (account) REFERENCES region_number NOT ENFORCED;
        ALTER TABLE line ADD CONSTRAINT line_not_enforced FOREIGN KEY (optional) REFERENCES orders NOT ENFORCED;
        CREATE TABLE event (id int, orders_id int REFERENCES orders ON DELETE CASCADE) PARTITION BY RANGE (id);
        CREATE TABLE event_1 PARTITION OF event FOR VALUES FROM (0) TO (1000) PARTITION BY RANGE (orders_id);
        CREATE TABLE event_1_1 PARTITION OF event_1 FOR VALUES FROM (0) TO (1000);
        CREATE TABLE event_2 PARTITION OF event FOR VALUES FROM (1000) TO (2000);
        INSERT INTO event SELECT n, n FROM generate_series(1, 900) n;
        INSERT INTO event SELECT n + 1000, n FROM generate_series(1, 900) n;
        """

    static func setup(for version: Int) -> String {
        var sql = setup
        if version >= 15 { sql += since15 }
        if version >= 18 { sql += "CREATE TABLE region_number (id int PRIMARY KEY);" + since18 }
        return sql
    }

    static func create(_ name: String, on binaries: ServerBinaries) async throws -> TestDatabase {
        let database = try await TestDatabase.create(name, on: binaries)
        try await database.psql(setup(for: binaries.majorVersion))
        return database
    }
}

extension LiveMigrations {
    /// Foreign keys come back as they were, on both sides.
    @Suite(.serialized, .timeLimit(.minutes(5))) struct ForeignKeyTests {
        @Test(arguments: try await Servers.outermost(), ["orders", "line"])
        func aRebuildLeavesNoDifference(_ binaries: ServerBinaries, _ table: String) async throws {
            let database = try await Family.create("fk_rebuild_\(table)", on: binaries)
            try await database.expectRebuildLeavesNoDifference(table, name: table)
            let session = try await TestSession(database)
            try await Remains(session: session).expectNothing(besides: ["Other \"S"])
            await session.close()
        }

        @Test(
            arguments: try await Servers.outermost(),
            [
                ("orders", "ALTER id TYPE bigint"),
                ("orders", "ALTER id TYPE bigint, ALTER parent TYPE bigint, ALTER code TYPE varchar(90)"),
                ("line", "ALTER id TYPE bigint, ALTER orders_id TYPE bigint"),
            ])
        func aChangeOfTypeIsAsPostgresMakesIt(_ binaries: ServerBinaries, _ change: (String, String)) async throws {
            let database = try await Family.create("fk_native", on: binaries)
            try await database.expectSameAsNative(
                setup: Family.setup(for: binaries.majorVersion), change.0, change.1, name: "widen")
        }

        /// PostgreSQL itself renames a column without touching the constraint, so that the twin is the same.
        @Test(arguments: try await Servers.outermost())
        func renamedColumnsAreFollowed(_ binaries: ServerBinaries) async throws {
            let database = try await Family.create("fk_rename", on: binaries)
            let twin = try await Family.create("fk_rename_twin", on: binaries)
            let rename =
                "ALTER TABLE orders RENAME parent TO \"up per\"; ALTER TABLE orders RENAME id TO number;"
                + (binaries.majorVersion >= 15 ? "ALTER TABLE orders RENAME b TO bb;" : "")
            try await twin.psql(rename)
            try await RunningMigration(
                MigrationRequest(change: .script(rename), strategy: .shadow), database
            ).summary()
            try await Finalize(connections: database.options).run("orders")
            DefinitionOracle.expectSame(
                try await DefinitionOracle(database: database).read(), try await DefinitionOracle(database: twin).read()
            )
        }

        /// PostgreSQL 18: a period that must lie within those of the referenced rows.
        @Test(arguments: try await Servers.outermost(), ["stay", "room"])
        func periodsAreCarriedOver(_ binaries: ServerBinaries, _ table: String) async throws {
            guard binaries.majorVersion >= 18 else { return }
            let database = try await TestDatabase.create("fk_period", on: binaries)
            try await database.psql(
                """
                CREATE TABLE room (number int NOT NULL UNIQUE, id int4range, open daterange, PRIMARY KEY (id, open WITHOUT OVERLAPS));
                ALTER TABLE room REPLICA IDENTITY USING INDEX room_number_key;
                CREATE TABLE stay (id int PRIMARY KEY, room int4range, period daterange,
                    FOREIGN KEY (room, PERIOD period) REFERENCES room (id, PERIOD open));
                INSERT INTO room VALUES (1, '[1,2)', '[2024-01-01,2025-01-01)'), (2, '[1,2)', '[2025-01-01,2026-01-01)');
                INSERT INTO stay VALUES (1, '[1,2)', '[2024-06-01,2025-06-01)');
                """)
            try await database.expectRebuildLeavesNoDifference(table, name: table)
            let session = try await TestSession(database)
            let error = await #expect(throws: PgError.self) {
                try await session.execute("INSERT INTO stay VALUES (2, '[1,2)', '[2025-06-01,2026-06-01)')")
            }
            #expect(error?.sqlState == .foreignKeyViolation)
            await session.close()
        }

        /// Whoever writes to the tables while the plan is made is not waited for, nor has to wait.
        @Test(arguments: try await Servers.outermost())
        func thePlanLocksNobodyOut(_ binaries: ServerBinaries) async throws {
            let database = try await Family.create("fk_plan", on: binaries)
            let writer = try await TestSession(database, "writer")
            try await writer.execute(
                "BEGIN; LOCK TABLE orders, line, old_line, region, \"Other \"\"S\".\"Cust'omer\", account IN EXCLUSIVE MODE"
            )
            let plan = try await Planning.dryRun(
                MigrationRequest("orders", "ALTER id TYPE bigint"), connections: database.options)
            let names = plan.dependants.map(\.name)
            #expect(names.contains("foreign key orders_customer of public.orders"))
            #expect(names.contains("foreign key line_code_fkey of public.line"))
            let locked = LockPlan(plan).tables.map(\.relation.description)
            for table in ["public.orders", "public.line", "Other \"S.Cust'omer", "public.account"] {
                #expect(locked.contains(table), "\(locked)")
            }
            let settled = plan.dependants.filter { !$0.settle.isEmpty }.map(\.name)
            #expect(settled.contains("foreign key orders_parent of public.orders"))
            #expect(!settled.contains("foreign key not valid of public.old_line"))
            #expect(!settled.contains("foreign key not_enforced of public.orders"))
            let report = PlanReport(plan: plan).text
            #expect(report.contains("foreign key orders_parent of public.orders, and then: ALTER TABLE"), "\(report)")
            await writer.close()
        }
    }
}
