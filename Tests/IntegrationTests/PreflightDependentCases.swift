/// What depends on the table, or is reached by it.
extension PreflightCase {
    private static let trigger =
        "CREATE FUNCTION f() RETURNS trigger LANGUAGE plpgsql AS 'BEGIN RETURN new; END';"

    static let dependents: [Self] = [
        Self(
            name: "disabled check of a constraint",
            setup: "CREATE TABLE t (id int PRIMARY KEY, a int UNIQUE DEFERRABLE); ALTER TABLE t DISABLE TRIGGER ALL",
            codes: ["constraint-disabled"], says: ["constraint t_a_key", "ALTER TABLE s.t ENABLE TRIGGER ALL"]),
    ]

    static let types: [Self] = [
        Self(
            name: "row type as a column's type", setup: plain + "CREATE TABLE o (x t, y t[])",
            codes: ["row-type-used", "row-type-used"], says: ["table column s.o.x", "table column s.o.y"]),
        Self(
            name: "row type in other types",
            setup: plain + """
                CREATE TYPE y AS (x t); CREATE DOMAIN d AS t CHECK ((VALUE).a > 0); CREATE TYPE r AS RANGE (subtype = t)
                """, codes: ["row-type-used", "row-type-used", "row-type-used", "dependent-object"],
            says: ["s.y.x", "type s.d", "type s.r"]),
        Self(
            name: "constants of another table", setup: plain + "CREATE TABLE o (x regclass DEFAULT 's.t'::regclass)",
            codes: ["dependent-object"], says: ["default value for column x of table"]),
        Self(
            name: "cast of the row type", setup: plain + "CREATE CAST (t AS text) WITH INOUT AS ASSIGNMENT",
            codes: ["dependent-object"], says: ["cast from"]),
        Self(
            name: "constraint trigger of another table",
            setup: plain + trigger + """
                CREATE TABLE o (x int); CREATE CONSTRAINT TRIGGER c AFTER INSERT ON o FROM t FOR EACH ROW EXECUTE FUNCTION f()
                """, codes: ["trigger-elsewhere"], says: ["constraint trigger c of s.o", "DROP TRIGGER c ON s.o;"]),
        Self(
            name: "constants of its own",
            setup: """
                CREATE TABLE t (id int PRIMARY KEY, x oid DEFAULT 's.t'::regclass, CHECK (x <> 's.t'::regclass));
                CREATE INDEX i ON t ((x = 's.t'::regclass)); CREATE STATISTICS st ON (x = 's.t'::regclass) FROM t
                """, codes: .init(repeating: "refers-to-itself", count: 4),
            says: [
                "default or generation expression of the column x", "constraint t_x_check", "index s.i",
                "statistics object st",
            ]),
    ]

    static let sequences: [Self] = [
        Self(
            name: "serial's sequence used by another table",
            setup: "CREATE TABLE t (id serial PRIMARY KEY); CREATE TABLE o (x int DEFAULT nextval('s.t_id_seq'))",
            codes: ["sequence-shared"],
            says: ["sequence s.t_id_seq", "ALTER TABLE s.o ALTER COLUMN x DROP DEFAULT;"]),
        Self(
            name: "identity's sequence used by another column",
            setup: """
                CREATE TABLE t (id int GENERATED ALWAYS AS IDENTITY PRIMARY KEY, x int);
                ALTER TABLE t ALTER x SET DEFAULT nextval('s.t_id_seq')
                """, codes: ["sequence-shared"], says: ["sequence s.t_id_seq", "column x of s.t"]),
        Self(
            name: "sequence in another schema",
            setup: """
                CREATE TABLE t (id serial PRIMARY KEY);
                UPDATE pg_class SET relnamespace = 'public'::regnamespace WHERE oid = 's.t_id_seq'::regclass
                """, codes: ["sequence-elsewhere"], says: ["ALTER SEQUENCE public.t_id_seq OWNED BY NONE;"]),
    ]
}
