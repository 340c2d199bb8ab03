import Testing

@testable import ShadowAlter

/// DROP TABLE and CREATE TABLE in a script.
@Suite struct TableStatementTests {
    private func read(_ text: String) throws -> TableStatement? {
        TableStatement(try #require(SQLStatement.split(text).first))
    }

    @Test func names() throws {
        #expect(try read(#"DROP TABLE IF EXISTS orders, "Odd name""#) == .drop([["orders"], ["Odd name"]]))
        #expect(try read("DROP TABLE public.orders RESTRICT") == .drop([["public", "orders"]]))
        #expect(
            try read(
                "CREATE TABLE orders (id int CHECK (id > 0), b int GENERATED ALWAYS AS (id) STORED) PARTITION BY RANGE (id)"
            )
                == .create(["orders"], parent: nil))
        #expect(
            try read("create table if not exists Orders_1 PARTITION OF ORDERS FOR VALUES FROM (1) TO (2)")
                == .create(["orders_1"], parent: ["orders"]))
        #expect(try read("CREATE INDEX i ON orders (id)") == nil)
        #expect(try read("ALTER TABLE orders ADD COLUMN x int") == nil)
    }

    @Test(arguments: [
        "DROP TABLE orders CASCADE", "CREATE TEMP TABLE orders (id int)", "CREATE UNLOGGED TABLE orders (id int)",
        "CREATE TABLE orders AS SELECT 1", "CREATE TABLE orders (id int) INHERITS (other)",
        "CREATE TABLE orders (id int REFERENCES other)",
        "CREATE TABLE orders (id int, FOREIGN KEY (id) REFERENCES other)",
    ])
    func unsupported(text: String) throws {
        guard case .unsupported = try read(text) else {
            Issue.record("\(text) is taken")
            return
        }
    }
}
