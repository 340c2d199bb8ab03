import ShadowAlter

/// A change, what an application writes afterwards, and what the old table must be then.
struct WayBackCase: Sendable, CustomStringConvertible {
    let name: String
    /// Makes `item` with rows.
    let setup: String
    let change: String
    var reverse: [ReverseExpression] = []
    /// Written to the new table after the exchange.
    let writes: String
    /// Clauses of PostgreSQL's own ALTER TABLE that turn a copy of the new table, `native`, into the old shape; empty where it has it.
    var back = ""
    /// The old table's rows, made of `native` as `n` and the old rows from before the writes as `o`.
    var columns = "n.*"
    var join = "o.id = n.id"
    /// The new table's key, by which rows are spooled.
    var key = ["id"]
    /// Keys that were written to and are as they were before, each as in VALUES.
    var alsoSpooled: [String] = []

    var description: String { name }

    static let all = keys + types + columns
}

extension WayBackCase {
    private static let keys: [WayBackCase] = [
        WayBackCase(
            name: "identity",
            setup: """
                CREATE TABLE item (id int GENERATED ALWAYS AS IDENTITY PRIMARY KEY, note text);
                INSERT INTO item (note) SELECT 'row ' || n FROM generate_series(1, 20) n;
                """,
            change: "ALTER TABLE item ALTER id TYPE bigint",
            writes: """
                INSERT INTO item (note) VALUES ('new'), (NULL); UPDATE item SET note = 'changed' WHERE id IN (2, 3);
                DELETE FROM item WHERE id = 4;
                """,
            back: "ALTER id TYPE int"),
        // The key that no integer is was written, and is gone again.
        WayBackCase(
            name: "bigint",
            setup: """
                CREATE TABLE item (id int PRIMARY KEY, serial_no serial, note text);
                INSERT INTO item SELECT n, n, 'row ' || n FROM generate_series(1, 20) n;
                """,
            change: "ALTER TABLE item ALTER id TYPE bigint",
            writes: """
                INSERT INTO item (id, note) VALUES (21, 'new'); UPDATE item SET id = 1000 WHERE id = 5; UPDATE item SET id = 5 WHERE id = 6;
                DELETE FROM item WHERE id = 7;
                """,
            back: "ALTER id TYPE int", alsoSpooled: ["3000000000"]),
        // What does not fit into the old key is not the row whose key is its beginning.
        WayBackCase(
            name: "text_key",
            setup: """
                CREATE TABLE item (id varchar(5) PRIMARY KEY, note text);
                INSERT INTO item VALUES ('abcde', 'first'), ('b', 'second'), ('c ', 'third');
                """,
            change: "ALTER TABLE item ALTER id TYPE text",
            writes: "UPDATE item SET note = 'changed' WHERE id = 'b'; INSERT INTO item VALUES ('it''s', 'new');",
            back: "ALTER id TYPE varchar(5)", alsoSpooled: ["'abcdef'"]),
        WayBackCase(
            name: "composite",
            setup: """
                CREATE TABLE item (tenant int, "No" smallint, note text, PRIMARY KEY (tenant, "No"));
                INSERT INTO item SELECT n / 10, n % 10, 'row ' || n FROM generate_series(1, 40) n;
                """,
            change: """
                ALTER TABLE item RENAME "No" TO number; ALTER TABLE item ALTER number TYPE numeric, ALTER tenant TYPE bigint
                """,
            writes: """
                INSERT INTO item VALUES (9, 9, 'new'); UPDATE item SET number = 77 WHERE tenant = 1 AND number = 2;
                UPDATE item SET note = 'changed' WHERE tenant = 2; DELETE FROM item WHERE tenant = 3 AND number < 4;
                """,
            back: "ALTER number TYPE smallint, ALTER tenant TYPE int", join: "false", key: ["tenant", "number"],
            alsoSpooled: ["1, 1.5", "5000000000, 1", "1, 40000"]),
        WayBackCase(
            name: "key_by_reverse",
            setup: """
                CREATE TABLE item (id int PRIMARY KEY, note text);
                INSERT INTO item SELECT n, 'row ' || n FROM generate_series(1, 20) n;
                """,
            change: "ALTER TABLE item ALTER id TYPE text USING 'K-' || id",
            reverse: [ReverseExpression(column: "id", expression: "substr(id, 3)::int")],
            writes: """
                INSERT INTO item VALUES ('K-21', 'new'); UPDATE item SET note = 'changed' WHERE id IN ('K-1', 'K-2');
                UPDATE item SET id = 'K-99' WHERE id = 'K-9'; DELETE FROM item WHERE id = 'K-4';
                """,
            back: "ALTER id TYPE int USING substr(id, 3)::int", alsoSpooled: ["'K-0001'"]),
    ]

    private static let types: [WayBackCase] = [
        WayBackCase(
            name: "types",
            setup: """
                CREATE TABLE item (id int PRIMARY KEY, short text, long varchar(40), at timestamptz, doc json, price numeric(8,2), n int,
                    day date, same int4range, flag "char", list int[]);
                INSERT INTO item SELECT n, 'row ' || n, 'it''s', '2024-03-30 12:00+00'::timestamptz + n * interval '1 hour',
                    '{"a": 1, "b": [1, 2]}', n / 3.0, n, '2024-02-28'::date + n, int4range(1, n + 1), 'x', ARRAY[n, NULL]
                    FROM generate_series(1, 20) n;
                """,
            change: """
                ALTER TABLE item ALTER short TYPE varchar(20), ALTER long TYPE text, ALTER at TYPE timestamp, ALTER doc TYPE jsonb,
                    ALTER price TYPE numeric(14,4), ALTER n TYPE numeric USING n::numeric(20,3), ALTER day TYPE timestamp, ALTER flag TYPE text,
                    ALTER list TYPE bigint[]
                """,
            writes: """
                INSERT INTO item VALUES (21, 's', 'l', '2024-07-01 10:00', '{"b":2,"a":[]}', 1.2345, 3.7, '2024-12-31 23:59', 'empty', 'y', '{7}');
                INSERT INTO item (id) VALUES (22); UPDATE item SET short = 'changed', price = price * 2 WHERE id IN (2, 3);
                UPDATE item SET doc = doc || '{"c": null}', day = day + interval '1 day' WHERE id = 8; DELETE FROM item WHERE id = 4;
                """,
            back: """
                ALTER short TYPE text, ALTER long TYPE varchar(40), ALTER at TYPE timestamptz, ALTER doc TYPE json, ALTER price TYPE numeric(8,2),
                ALTER n TYPE int, ALTER day TYPE date, ALTER flag TYPE "char", ALTER list TYPE int[]
                """),
        WayBackCase(
            name: "rename",
            setup: """
                CREATE TABLE item (id int PRIMARY KEY, note text NOT NULL, "order" int, swapped text);
                INSERT INTO item SELECT n, 'row ' || n, n, 'x' || n FROM generate_series(1, 20) n;
                """,
            change: """
                ALTER TABLE item RENAME note TO "Re""mark"; ALTER TABLE item RENAME swapped TO note; ALTER TABLE item RENAME "order" TO place;
                ALTER TABLE item ALTER "Re""mark" TYPE varchar(30), ALTER place TYPE bigint
                """,
            writes: """
                INSERT INTO item VALUES (21, 'new', 5, NULL); UPDATE item SET note = 'changed', place = NULL WHERE id IN (2, 3);
                DELETE FROM item WHERE id = 4;
                """,
            back: "ALTER \"Re\"\"mark\" TYPE text, ALTER place TYPE int"),
        WayBackCase(
            name: "reverse",
            setup: """
                CREATE TYPE mood AS ENUM ('sad', 'ok'); CREATE TABLE item (id int PRIMARY KEY, mood mood, price int, name text);
                INSERT INTO item SELECT n, 'ok', n, 'first ' || n FROM generate_series(1, 20) n;
                """,
            change: """
                ALTER TABLE item ALTER mood TYPE text, ALTER price TYPE int USING price * 100, DROP name, ADD given text, ADD family text
                """,
            reverse: [
                ReverseExpression(column: "mood", expression: "mood::mood"),
                ReverseExpression(column: "price", expression: "item.price / 100.0"),
                ReverseExpression(column: "name", expression: "given || ' ' || family"),
            ],
            writes: """
                INSERT INTO item VALUES (21, 'sad', 250, 'Ada', 'L'); UPDATE item SET price = 777 WHERE id IN (2, 3); DELETE FROM item WHERE id = 4;
                UPDATE item SET given = 'B', family = 'C' WHERE id = 9;
                """,
            back: "ALTER mood TYPE mood USING mood::mood, ALTER price TYPE int USING price / 100.0",
            columns: """
                n.id, n.mood, n.price, CASE WHEN o.id IS NULL OR n.id IN (2, 3, 9) THEN n.given || ' ' || n.family ELSE o.name END
                """),
    ]

    private static let columns: [WayBackCase] = [
        WayBackCase(
            name: "dropped",
            setup: """
                CREATE TABLE item (id int PRIMARY KEY, code text UNIQUE, legacy text DEFAULT lower('LEGACY'), no int GENERATED ALWAYS AS IDENTITY,
                    tick serial, maybe text, note text, CHECK (legacy <> note));
                INSERT INTO item (id, code, legacy, maybe, note) SELECT n, 'c' || n, 'old ' || n, 'maybe ' || n, 'row ' || n
                    FROM generate_series(1, 20) n;
                """,
            change: "ALTER TABLE item DROP legacy, DROP no, DROP tick, DROP maybe, ALTER id TYPE bigint",
            writes: """
                INSERT INTO item (id, code, note) VALUES (21, 'c21', 'new'); UPDATE item SET note = 'changed' WHERE id IN (2, 3);
                DELETE FROM item WHERE id = 4; UPDATE item SET code = 'c4' WHERE id = 6; UPDATE item SET code = 'c6' WHERE id = 7;
                """,
            columns: """
                n.id, n.code, CASE WHEN o.id IS NULL THEN 'legacy' ELSE o.legacy END, coalesce(o.no, 21), coalesce(o.tick, 21), o.maybe, n.note
                """),
        // Rows that are there can be brought back although none could be inserted.
        WayBackCase(
            name: "dropped_not_null",
            setup: """
                CREATE TABLE item (id int PRIMARY KEY, legacy text NOT NULL, note text, CHECK (length(legacy) > 3));
                INSERT INTO item SELECT n, 'old ' || n, 'row ' || n FROM generate_series(1, 20) n;
                """,
            change: "ALTER TABLE item DROP legacy, ALTER id TYPE bigint",
            writes: "UPDATE item SET note = 'changed' WHERE id IN (2, 3); DELETE FROM item WHERE id = 4;",
            columns: "n.id, o.legacy, n.note"),
        WayBackCase(
            name: "added",
            setup: """
                CREATE TABLE item (id int PRIMARY KEY, a int, twice int GENERATED ALWAYS AS (a * 2) STORED, note text);
                INSERT INTO item (id, a, note) SELECT n, n, 'row ' || n FROM generate_series(1, 20) n;
                """,
            change:
                "ALTER TABLE item ADD extra text DEFAULT 'x', ALTER id TYPE bigint, ADD thrice int GENERATED ALWAYS AS (a * 3) STORED",
            writes: """
                INSERT INTO item (id, a, extra) VALUES (21, 4, 'y'); UPDATE item SET a = 8 WHERE id IN (2, 3); DELETE FROM item WHERE id = 4;
                UPDATE item SET extra = NULL WHERE id = 5;
                """,
            columns: "n.id, n.a, n.twice, n.note"),
    ]
}
