/// A type that a random column may have, and how to fill it.
struct RandomType: Sendable {
    let sql: String
    /// SQL for the value of row `n`.
    let value: String
    /// No two rows have the same value.
    var isDistinct = false
    var isBtree = true
    var isHash = true
    var gin: String?
    var gist: String?
    var isCollated = false
    /// `TYPE …` that the column may be given, as the clause of ALTER COLUMN has it; `\0` stands for the column.
    var changes: [String] = []
    var defaults: [String] = []
    var isVarlena = false
    var isInteger = false

    static let integers: [Self] = [
        Self(
            sql: "int", value: "n", isDistinct: true,
            changes: ["bigint", "numeric", "text", "float8", "text USING 'n' || \0"],
            defaults: ["7", "-1"], isInteger: true),
        Self(
            sql: "smallint", value: "(n % 100)::smallint", changes: ["int", "bigint", "numeric(9, 2)"], defaults: ["0"],
            isInteger: true),
        Self(
            sql: "bigint", value: "n::bigint * 1000003", isDistinct: true, changes: ["numeric(30)", "text"],
            defaults: ["9000000000"],
            isInteger: true),
    ]

    static let texts: [Self] = [
        Self(
            sql: "text", value: "'value ' || n", isDistinct: true, isCollated: true,
            changes: ["varchar(100)", "bytea USING convert_to(\0, 'UTF8')", "text COLLATE \"C\""],
            defaults: ["'it''s \\ a ''default'''", "''", "current_user::text"], isVarlena: true),
        Self(
            sql: "varchar(50)", value: "'v' || n", isDistinct: true, isCollated: true,
            changes: ["text", "varchar(80)", "varchar", "char(60)"],
            defaults: ["'x'", "NULL"], isVarlena: true),
        Self(
            sql: "char(20)", value: "'c' || n % 50", isCollated: true, changes: ["text", "varchar(30)"],
            defaults: ["'c'"],
            isVarlena: true),
        Self(
            sql: "text", value: "CASE WHEN n % 10 = 0 THEN repeat(md5(n::text), 200) ELSE NULL END", isBtree: false,
            isHash: false,
            isCollated: true, changes: ["varchar"], isVarlena: true),
    ]

    static let others: [Self] = [
        Self(
            sql: "numeric(12, 3)", value: "n / 7.0", changes: ["numeric(14, 5)", "numeric", "numeric(13, 1)", "text"],
            defaults: ["0.5"],
            isVarlena: true),
        Self(sql: "numeric", value: "n / 3.0", changes: ["numeric(20, 4)", "float8"], isVarlena: true),
        Self(sql: "float8", value: "n / 3.0::float8", changes: ["numeric", "real"], defaults: ["'NaN'", "1e10"]),
        Self(sql: "boolean", value: "n % 2 = 0", changes: ["text", "int USING \0::int"], defaults: ["true"]),
        Self(
            sql: "date", value: "date '2020-01-01' + n", isDistinct: true, changes: ["timestamp", "text"],
            defaults: ["'2020-02-02'"]),
        Self(
            sql: "timestamp", value: "timestamp '2020-01-01' + n * interval '1.5 s'", isDistinct: true,
            changes: ["timestamptz USING \0 AT TIME ZONE 'UTC'", "timestamp(0)"], defaults: ["'infinity'", "now()"]),
        Self(
            sql: "timestamptz(3)", value: "timestamptz '2020-01-01 00:00+02' + n * interval '1 h'", isDistinct: true,
            changes: ["timestamp USING \0 AT TIME ZONE 'UTC'", "timestamptz"], defaults: ["'2020-01-01 00:00+00'"]),
        Self(sql: "interval", value: "n * interval '1 day'", isDistinct: true, changes: ["text"]),
        Self(sql: "time(2)", value: "time '00:00' + n * interval '1 s'", changes: ["text"]),
        Self(
            sql: "uuid", value: "md5(n::text)::uuid", isDistinct: true, changes: ["text"],
            defaults: ["'00000000-0000-0000-0000-000000000000'"]),
        Self(
            sql: "json", value: "json_build_object('n', n)", isBtree: false, isHash: false, changes: ["jsonb", "text"],
            defaults: ["'{}'"],
            isVarlena: true),
        Self(
            sql: "jsonb", value: "jsonb_build_object('n', n, 'x', repeat('x', n % 50))", gin: "jsonb_path_ops",
            changes: ["json", "text"],
            defaults: ["'{\"a\": [1, null]}'"], isVarlena: true),
        Self(
            sql: "bytea", value: "decode(md5(n::text), 'hex')", isDistinct: true,
            changes: ["text USING encode(\0, 'hex')"],
            defaults: ["'\\x00ff'"], isVarlena: true),
        Self(
            sql: "int[]", value: "ARRAY[n, n + 1, NULL]", gin: "array_ops", changes: ["bigint[]", "text[]"],
            defaults: ["'{}'", "'{1,2}'"],
            isVarlena: true),
        Self(
            sql: "text[]", value: "ARRAY['a ' || n, NULL, '\"']", gin: "array_ops", isCollated: true,
            changes: ["varchar(40)[]"], isVarlena: true),
        Self(
            sql: "inet", value: "'10.0.0.0'::inet + n", isDistinct: true, gist: "inet_ops",
            changes: ["text", "cidr USING network(\0)"]),
        Self(
            sql: "int4range", value: "int4range(n * 10, n * 10 + 5)", isDistinct: true, gist: "range_ops",
            changes: ["text"], isVarlena: true),
        Self(sql: "point", value: "point(n, -n)", isBtree: false, isHash: false, gist: "point_ops", changes: ["text"]),
        Self(
            sql: "tsvector", value: "to_tsvector('simple', 'word ' || n)", isHash: false, gin: "tsvector_ops",
            isVarlena: true),
        Self(
            sql: "s.mood", value: "(ARRAY['sad', 'ok', 'it''s fine']::s.mood[])[1 + n % 3]", changes: ["text"],
            defaults: ["'ok'"]),
        Self(
            sql: "s.\"e Mail\"", value: "n || '@example.org'", isDistinct: true, isCollated: true,
            changes: ["text", "varchar(200)"],
            defaults: ["'x@y'"], isVarlena: true),
        Self(sql: "s.pair", value: "ROW(n, 'p' || n)::s.pair", isHash: false, isVarlena: true),
        Self(
            sql: "bit(8)", value: "(n % 256)::bit(8)", isHash: false, changes: ["varbit"], defaults: ["B'10101010'"],
            isVarlena: true),
        Self(sql: "name", value: "('n' || n)::name", isDistinct: true, changes: ["text"], defaults: ["current_user"]),
        Self(sql: "oid", value: "n::oid", isDistinct: true, changes: ["bigint"]),
        Self(sql: "\"char\"", value: "chr(65 + n % 26)::\"char\"", changes: ["text"], defaults: ["'q'"]),
    ]

    static let all = integers + texts + others
}
