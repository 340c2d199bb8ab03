import Testing

@testable import ShadowAlter

@Suite struct CommandTagTests {
    @Test(
        arguments: [
            ("CREATE TABLE t (a int, b int GENERATED ALWAYS AS (a * 2) STORED)", "CREATE TABLE"),
            ("CREATE TABLE t AS SELECT 1", "CREATE TABLE AS"),
            ("create unlogged table t partition of p for values in ('as')", "CREATE TABLE"),
            ("CREATE UNIQUE INDEX \"drop\" ON t (a)", "CREATE INDEX"),
            ("CREATE OR REPLACE VIEW v AS SELECT 1", "CREATE VIEW"),
            ("CREATE OR REPLACE FUNCTION f() RETURNS int LANGUAGE sql AS 'DROP TABLE t'", "CREATE FUNCTION"),
            ("CREATE CONSTRAINT TRIGGER x AFTER INSERT ON t", "CREATE TRIGGER"),
            ("CREATE MATERIALIZED VIEW m AS SELECT 1 WITH NO DATA", "CREATE MATERIALIZED VIEW"),
            ("ALTER MATERIALIZED VIEW m RENAME TO n", "ALTER MATERIALIZED VIEW"),
            ("ALTER TABLE ONLY t DROP a", "ALTER TABLE"),
            ("ALTER ROUTINE f() OWNER TO x", "ALTER ROUTINE"), ("DROP SCHEMA IF EXISTS s CASCADE", "DROP SCHEMA"),
            ("GRANT SELECT ON t TO PUBLIC", "GRANT"), ("COMMENT ON TABLE t IS 'CREATE'", "COMMENT"),
            ("REFRESH MATERIALIZED VIEW m", "REFRESH MATERIALIZED VIEW"), ("SET LOCAL ROLE x", nil),
            ("LOCK TABLE t IN ACCESS EXCLUSIVE MODE", nil), ("SELECT setval('s', 1)", nil),
            ("TRUNCATE t", nil), ("\"create\" table", nil),
        ] as [(String, String?)])
    func tag(_ example: (sql: String, tag: String?)) throws {
        let statement = try #require(try SQLStatement.split(example.sql).first)
        #expect(CommandTag.of(statement) == example.tag)
    }
}
