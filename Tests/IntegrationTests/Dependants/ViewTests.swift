import PgConnection
import Testing
import ThrowawayServer

@testable import ShadowAlter

/// A table with views on views, with every property that a view can have.
enum Gallery {
    static let setup = """
        DROP ROLE IF EXISTS view_owner, view_reader, view_other;
        CREATE ROLE view_owner; CREATE ROLE view_reader; CREATE ROLE view_other;
        CREATE SCHEMA api; CREATE SCHEMA "Re ""port";
        GRANT ALL ON SCHEMA public, api, "Re ""port" TO view_owner, view_reader, view_other;
        CREATE TABLE customer (id int PRIMARY KEY, name text);
        CREATE TABLE orders (
            gone int, id int PRIMARY KEY, customer int, total numeric(10, 2) NOT NULL DEFAULT 0, "No te" varchar(20) COLLATE "C",
            number bigint GENERATED ALWAYS AS IDENTITY, tags text[]);
        ALTER TABLE orders DROP COLUMN gone;
        INSERT INTO customer SELECT n, 'c' || n FROM generate_series(1, 50) n;
        INSERT INTO orders (id, customer, total, "No te") SELECT n, n % 50 + 1, n, 'note ' || n FROM generate_series(1, 2000) n;

        CREATE VIEW api.orders AS SELECT id, customer, total, "No te" AS note FROM public.orders;
        CREATE VIEW api.big_orders AS SELECT o.*, c.name FROM api.orders o JOIN customer c ON c.id = o.customer WHERE o.total > 100;
        CREATE VIEW api.both AS SELECT o.id, b.name, o.total FROM api.big_orders b JOIN public.orders o USING (id);
        CREATE VIEW totals WITH (security_barrier) AS SELECT customer, sum(total) AS "Sum ""of" FROM orders GROUP BY customer;
        CREATE VIEW grouped AS SELECT id, customer, "No te" FROM orders GROUP BY id;
        CREATE VIEW whole AS SELECT o, o.id FROM orders o;
        CREATE VIEW above_whole AS SELECT (o).total, id FROM whole;
        CREATE VIEW of_totals AS SELECT t, customer FROM totals t;
        CREATE VIEW checked WITH (check_option = local, security_barrier = false) AS SELECT id, total FROM orders WHERE total < 1000000;
        CREATE VIEW "Re ""port"."V i" AS SELECT 'It''s \\ ' || "No te" AS x, array_agg(id) OVER w AS ids, (SELECT max(q.id) FROM orders q)
            FROM orders WHERE tags IS NULL OR 'a' = ANY (tags) WINDOW w AS (PARTITION BY customer);
        CREATE VIEW sequence AS SELECT last_value FROM orders_number_seq;
        CREATE VIEW nothing AS SELECT FROM orders;
        CREATE VIEW unrelated AS SELECT * FROM customer;
        CREATE VIEW unioned AS SELECT id FROM orders UNION ALL SELECT id FROM customer;
        CREATE RECURSIVE VIEW deep (n) AS SELECT id FROM orders WHERE id = 1 UNION ALL SELECT n + 1 FROM deep WHERE n < 10;

        ALTER VIEW api.orders ALTER customer SET DEFAULT 7, ALTER note SET DEFAULT 'it''s';
        ALTER VIEW totals RENAME customer TO "Cust";
        COMMENT ON VIEW api.orders IS 'the application''s';
        COMMENT ON COLUMN api.orders.note IS 'no\\te';
        COMMENT ON VIEW totals IS 'sums';
        CREATE FUNCTION put() RETURNS trigger LANGUAGE plpgsql AS $$BEGIN INSERT INTO public.orders (id, total) VALUES (new.id, new.total); RETURN new; END$$;
        CREATE FUNCTION told() RETURNS trigger LANGUAGE plpgsql AS $$BEGIN RETURN NULL; END$$;
        CREATE TRIGGER put INSTEAD OF INSERT ON api.big_orders FOR EACH ROW EXECUTE FUNCTION put();
        CREATE TRIGGER "To ld" AFTER UPDATE ON api.orders FOR EACH STATEMENT EXECUTE FUNCTION told('a', 'it''s');
        COMMENT ON TRIGGER put ON api.big_orders IS 'puts';
        CREATE RULE "In to" AS ON INSERT TO grouped DO INSTEAD INSERT INTO orders (id, customer) VALUES (new.id, new.customer)
            RETURNING id, customer, "No te";
        CREATE RULE nothing AS ON DELETE TO grouped DO INSTEAD NOTHING;
        COMMENT ON RULE nothing ON grouped IS 'no deletion';
        COMMENT ON RULE "_RETURN" ON grouped IS 'reads';

        GRANT SELECT, INSERT ON api.orders TO view_reader WITH GRANT OPTION;
        GRANT UPDATE (note), SELECT (id) ON api.orders TO view_other WITH GRANT OPTION;
        SET ROLE view_reader; GRANT SELECT ON api.orders TO PUBLIC; RESET ROLE;
        REVOKE DELETE ON grouped FROM CURRENT_USER;
        GRANT ALL ON totals TO view_reader;
        ALTER VIEW totals OWNER TO view_owner; ALTER VIEW grouped OWNER TO view_owner;
        GRANT ALL ON orders TO view_owner;
        """

    static func setup(for version: Int) -> String {
        setup
            + (version >= 15
                ? "CREATE VIEW invoked WITH (security_invoker, check_option = cascaded) AS SELECT id FROM orders;" : "")
    }

    static func create(_ name: String, on binaries: ServerBinaries) async throws -> TestDatabase {
        // The roles are the server's.
        let server = try await SharedServers.server(binaries)
        for database in ["view_rebuild", "view_widen", "view_widen_twin", "view_load", "view_plan"] {
            try await server.psql("DROP DATABASE IF EXISTS \(database) WITH (FORCE)")
        }
        let database = try await TestDatabase.create(name, on: binaries)
        try await database.psql(setup(for: binaries.majorVersion))
        return database
    }
}

extension LiveMigrations {
    /// Views come back as they were, or as they must be after the change.
    @Suite(.serialized, .timeLimit(.minutes(5))) struct ViewTests {
        @Test(arguments: try await Servers.outermost())
        func aRebuildLeavesNoDifference(_ binaries: ServerBinaries) async throws {
            let database = try await Gallery.create("view_rebuild", on: binaries)
            try await database.expectRebuildLeavesNoDifference("orders", name: "orders")
            let session = try await TestSession(database)
            try await Remains(session: session).expectNothing(besides: ["Re \"port", "api"])
            let rows: Int = try await session.value("SELECT count(*) FROM api.both")
            #expect(rows == 1900)
            await session.close()
        }

        /// PostgreSQL itself refuses to change the type of a column that a view uses; so the twin is made with the new type.
        @Test(arguments: try await Servers.outermost())
        func viewsFollowAChangeOfType(_ binaries: ServerBinaries) async throws {
            let database = try await Gallery.create("view_widen", on: binaries)
            let before = try await DefinitionOracle(database: database).read()
            try await RunningMigration(
                MigrationRequest("orders", "ALTER id TYPE bigint", name: "widen"), database
            ).summary()
            let session = try await TestSession(database)
            #expect(
                try await session.column(
                    """
                    SELECT a.attrelid::regclass || '.' || a.attname FROM pg_attribute a JOIN pg_class c ON c.oid = a.attrelid
                    WHERE c.relkind = 'v' AND a.attname IN ('id', 'n') AND a.atttypid <> 'bigint'::regtype AND c.relname <> 'unrelated'
                        AND c.relnamespace IN ('public'::regnamespace, 'api'::regnamespace, '"Re ""port"'::regnamespace) ORDER BY 1
                    """) == [])
            #expect(
                try await session.column("SELECT pg_typeof(ids)::text FROM \"Re \"\"port\".\"V i\" LIMIT 1") == [
                    "bigint[]"
                ])
            try await session.execute(
                """
                INSERT INTO api.orders (id) VALUES (5000000000); INSERT INTO grouped (id, customer) VALUES (5000000001, 3);
                INSERT INTO api.big_orders (id, total) VALUES (5000000002, 4);
                """)
            #expect(
                try await session.column(
                    "SELECT concat_ws(' ', id, customer, total, note) FROM api.orders WHERE id > 5000 ORDER BY id")
                    == ["5000000000 7 0.00 it's", "5000000001 3 0.00", "5000000002 4.00"])
            await session.close()
            try await Finalize(connections: database.options).run("widen")
            // The way back leaves the database as it was, but for what a text of a view says about types.
            try await RunningMigration(
                MigrationRequest("orders", "ALTER id TYPE int USING (id % 2147483647)::int", name: "narrow"), database
            ).summary()
            try await Finalize(connections: database.options).run("narrow")
            let after = try await DefinitionOracle(database: database).read()
            let isRow = { (line: String) in line.first?.isNumber == true }
            DefinitionOracle.expectSame(after.filter { !isRow($0) }, before.filter { !isRow($0) }, "there and back")
        }
    }
}
