import Testing

@testable import ShadowAlter

@Suite struct NamedObjectTests {
    private func named(_ sql: String) throws -> NamedObjects? {
        NamedObjects(try #require(try SQLStatement.split(sql).first))
    }

    @Test(arguments: [
        ("CREATE INDEX ON orders (a)", [["orders"]]),
        ("create unique index if not exists \"On\" on only \"Or.ders\" using btree (a) WHERE a > 1", [["Or.ders"]]),
        ("CREATE INDEX i ON s.t (lower(x))", [["s", "t"]]),
        ("DROP INDEX IF EXISTS a, \"B\" CASCADE", [["a"], ["B"]]),
        ("ALTER INDEX i SET (fillfactor = 70)", [["i"]]),
        ("COMMENT ON TABLE t IS 'x'", [["t"]]), ("COMMENT ON COLUMN t.c IS 'x'", [["t"]]),
        ("COMMENT ON COLUMN s.t.c IS NULL", [["s", "t"]]), ("COMMENT ON INDEX i IS 'on nothing'", [["i"]]),
        ("COMMENT ON CONSTRAINT \"on\" ON t IS ''", [["t"]]),
        ("CREATE STATISTICS ON a, (extract(year FROM b)) FROM t", [["t"]]),
        ("CREATE STATISTICS IF NOT EXISTS s (ndistinct) ON a, b FROM t", [["t"]]),
    ])
    func relations(sql: String, names: [[String]]) throws {
        #expect(try named(sql)?.used == names.map { .relation($0) })
    }

    @Test func statisticsAreNoRelations() throws {
        #expect(try named("DROP STATISTICS a, b")?.used == [.statistics(["a"]), .statistics(["b"])])
        #expect(try named("ALTER STATISTICS IF EXISTS a SET STATISTICS 7")?.used == [.statistics(["a"])])
        #expect(try named("COMMENT ON STATISTICS a IS ''")?.used == [.statistics(["a"])])
    }

    @Test func whatIsMade() throws {
        #expect(try named("CREATE INDEX i ON t (a)")?.made == .relation(["i"]))
        #expect(try named("CREATE INDEX ON t (a)")?.made == nil)
        #expect(try named("CREATE STATISTICS s.x ON a, b FROM t")?.made == .statistics(["s", "x"]))
        #expect(try named("CREATE STATISTICS ON a, b FROM t")?.made == nil)
        #expect(try named("DROP INDEX i")?.made == nil)
    }

    @Test(arguments: [
        "COMMENT ON SCHEMA public IS 'x'", "COMMENT ON CONSTRAINT c ON DOMAIN d IS 'x'", "COMMENT ON DATABASE d IS ''",
        "COMMENT ON FUNCTION f IS ''", "ALTER INDEX ALL IN TABLESPACE a SET TABLESPACE b", "DROP TABLE t",
        "CREATE TABLE t ()", "UPDATE t SET a = 1", "CREATE VIEW v AS SELECT 1", "CREATE INDEX", "DROP INDEX", "COMMENT",
    ])
    func otherStatements(sql: String) throws {
        #expect(try named(sql) == nil)
    }
}
