import PgConnection
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
        """ + rules + functions

    private static let rules = """
        CREATE TABLE log (id bigint, note text, total numeric);
        CREATE RULE "Log it" AS ON UPDATE TO orders WHERE old.total <> new.total DO ALSO INSERT INTO log VALUES (new.id, new."No te", new.total);
        CREATE RULE off AS ON DELETE TO orders DO INSTEAD NOTHING;
        CREATE RULE also AS ON INSERT TO orders WHERE new.total < 0 DO ALSO INSERT INTO api.big_orders (id, total) VALUES (-new.id, 1);
        ALTER TABLE orders DISABLE RULE off; ALTER TABLE orders ENABLE ALWAYS RULE "Log it";
        COMMENT ON RULE "Log it" ON orders IS 'lo''gs';
        CREATE TABLE inbox (gone int, id bigint, note varchar); ALTER TABLE inbox DROP COLUMN gone;
        CREATE RULE forward AS ON INSERT TO inbox DO INSTEAD INSERT INTO orders (id, "No te") VALUES (new.id::int, new.note);
        CREATE RULE copies AS ON UPDATE TO inbox DO ALSO UPDATE api.big_orders SET total = 0 WHERE id = new.id;
        ALTER TABLE inbox ENABLE ALWAYS RULE forward; ALTER TABLE inbox ENABLE REPLICA RULE copies;
        COMMENT ON RULE forward ON inbox IS 'forwards';
        CREATE RULE elsewhere AS ON UPDATE TO unrelated DO INSTEAD UPDATE orders SET total = 0 WHERE customer = old.id;

        """

    private static let functions = """
        CREATE FUNCTION count_orders(c int DEFAULT 1) RETURNS bigint LANGUAGE sql STABLE SECURITY DEFINER SET work_mem = '5MB'
            BEGIN ATOMIC SELECT count(*) FROM orders WHERE customer = c; END;
        CREATE FUNCTION doubled(o api.orders) RETURNS numeric LANGUAGE sql STABLE RETURN o.total * 2;
        CREATE FUNCTION label(orders) RETURNS text LANGUAGE sql STABLE AS 'SELECT $1."No te" || $1.total';
        CREATE FUNCTION label(customer) RETURNS text LANGUAGE sql STABLE AS 'SELECT $1.name';
        CREATE FUNCTION args(a int, VARIADIC o orders[]) RETURNS int LANGUAGE sql AS 'SELECT 1';
        CREATE VIEW labelled AS SELECT o.id, label(o.*) AS label, label(c.*) AS of_customer FROM orders o JOIN customer c ON c.id = o.customer;
        CREATE FUNCTION all_orders() RETURNS SETOF orders LANGUAGE plpgsql AS $$BEGIN RETURN QUERY SELECT * FROM public.orders; END$$;
        CREATE FUNCTION first_orders() RETURNS SETOF orders LANGUAGE sql BEGIN ATOMIC SELECT * FROM orders ORDER BY id LIMIT 3; END;
        CREATE VIEW over_function AS SELECT id, total FROM first_orders();
        CREATE PROCEDURE tidy() LANGUAGE sql BEGIN ATOMIC DELETE FROM api.orders WHERE total < 0; UPDATE api.orders SET note = NULL WHERE id < 0; END;
        SET check_function_bodies = off; CREATE FUNCTION of_view() RETURNS SETOF api.big_orders LANGUAGE sql AS 'SELECT * FROM nowhere';
        CREATE FUNCTION uses_function() RETURNS bigint LANGUAGE sql RETURN count_orders(3) + (SELECT count(*) FROM all_orders());
        ALTER FUNCTION label(orders) OWNER TO view_owner;
        COMMENT ON FUNCTION label(orders) IS 'la''bel'; COMMENT ON FUNCTION count_orders IS 'counts';
        REVOKE ALL ON FUNCTION label(orders) FROM PUBLIC; GRANT EXECUTE ON FUNCTION label(orders) TO view_reader WITH GRANT OPTION;
        SET ROLE view_reader; GRANT EXECUTE ON FUNCTION label(orders) TO view_other; RESET ROLE;
        REVOKE ALL ON FUNCTION count_orders FROM PUBLIC; ALTER FUNCTION count_orders OWNER TO view_owner;
        """

    static func setup(for version: Int) -> String {
        setup
            + (version >= 15
                ? "CREATE VIEW invoked WITH (security_invoker, check_option = cascaded) AS SELECT id FROM orders;" : "")
    }

    static func create(_ name: String, on binaries: ServerBinaries) async throws -> TestDatabase {
        // The roles are the server's.
        let server = try await SharedServers.server(binaries)
        for database in ["view_rebuild", "view_widen", "view_load", "view_plan", "view_changed"] {
            try await server.psql("DROP DATABASE IF EXISTS \(database) WITH (FORCE)")
        }
        let database = try await TestDatabase.create(name, on: binaries)
        try await database.psql(setup(for: binaries.majorVersion))
        return database
    }
}
