import PgConnection
import Testing

@testable import ShadowAlter

/// What a script cannot make of a table is refused, with nothing touched.
@Suite struct RepartitionPlanTests {
    private static let setup = """
        CREATE TABLE item (id int PRIMARY KEY, day date NOT NULL, value text, weight text);
        CREATE INDEX item_value ON item (value);
        INSERT INTO item VALUES (1, '2025-01-01', 'x', '7');
        CREATE TABLE taken (x int); CREATE TYPE taken_type AS (x int);
        CREATE TABLE bystander (id int PRIMARY KEY);
        CREATE TABLE parts (id int) PARTITION BY RANGE (id);
        """

    private static func tree(_ columns: String, then rest: String = "") -> String {
        "DROP TABLE item; CREATE TABLE item (\(columns)) PARTITION BY RANGE (day); \(rest)"
    }
    private static let plain = "id int, day date NOT NULL, value text, weight text, PRIMARY KEY (id, day)"

    @Test(arguments: [
        (tree(plain, then: "CREATE TABLE taken PARTITION OF item DEFAULT"), "name-taken", "taken"),
        (tree(plain, then: "CREATE TABLE taken_type PARTITION OF item DEFAULT"), "name-taken", "taken_type"),
        (
            tree("id int, day date NOT NULL, PRIMARY KEY (day, id)"), "key-not-mappable",
            "no index that begins with the key (id)"
        ),
        (tree("day date NOT NULL, value text"), "key-not-mappable", "drops column id"),
        (
            tree("id int, day date NOT NULL, extra int NOT NULL, PRIMARY KEY (id, day)"), "not-null-without-default",
            "item.extra"
        ),
        (tree("id int, day date NOT NULL, weight int, PRIMARY KEY (id, day)"), "not-assignable", "weight"),
        (tree("id int, day date NOT NULL, PRIMARY KEY (id)"), "sql-rejected", "must include all partitioning columns"),
        (tree("id int REFERENCES bystander, day date"), "unsupported-change", "REFERENCES"),
        ("DROP TABLE item", "unsupported-change", "creates no other one"),
        ("DROP TABLE item CASCADE; CREATE TABLE item (id int PRIMARY KEY)", "unsupported-change", "CASCADE"),
        ("CREATE TABLE item (id int PRIMARY KEY)", "unsupported-change", "has not dropped a table of this name"),
        (
            "DROP TABLE item; DROP TABLE item; CREATE TABLE item (id int PRIMARY KEY)", "unsupported-change",
            "drops it twice"
        ),
        (
            "DROP TABLE parts; CREATE TABLE parts (id int PRIMARY KEY)", "unsupported-change",
            "replaces a partitioned table"
        ),
        (
            "DROP TABLE item; CREATE TABLE item (\(plain)); CREATE TABLE p1 PARTITION OF bystander DEFAULT",
            "unsupported-change", "not a table which the script has dropped"
        ),
        (
            "DROP TABLE public.item; CREATE TABLE item (id int PRIMARY KEY)", "unsupported-change",
            "named with its schema"
        ),
        // These would reach the live table.
        (
            "DROP TABLE item; ALTER TABLE item ADD COLUMN x int; CREATE TABLE item (id int PRIMARY KEY)",
            "unsupported-change", "has it no more"
        ),
        (tree(plain, then: "DROP INDEX item_value"), "unsupported-change", "has it no more"),
        (
            "ALTER TABLE item ADD x int; DROP INDEX item_value; DROP INDEX item_value", "unsupported-change",
            "has it no more"
        ),
        (
            tree(plain, then: "GRANT SELECT ON bystander TO PUBLIC; DROP TABLE bystander"), "unsupported-change",
            "creates no other one"
        ),
    ])
    func refused(script: String, code: String, says: String) async throws {
        try await PlanServers.each(setup: Self.setup) { database in
            let refusals = try await database.refusals(MigrationRequest(change: .script(script), name: "it"))
            #expect(refusals.map(\.code) == [code], "\(script): \(refusals)")
            #expect(refusals.contains { $0.description.contains(says) }, "\(script): \(refusals)")
            // Nobody had to wait: the plan holds the statements up to the first that would reach what is live.
            #expect(try await database.text("SELECT count(*)::text FROM item") == "1")
        }
    }

    /// A plain table may be replaced as well: its columns in another order.
    @Test func anOrdinaryTableOfTheSameName() async throws {
        try await PlanServers.each(setup: Self.setup) { database in
            let plan = try await database.dryRun(
                MigrationRequest(
                    change: .script(
                        "DROP TABLE item; CREATE TABLE item (value text, day date, weight text, id bigint PRIMARY KEY)")
                ))
            let table = try #require(plan.tables.first)
            #expect(plan.strategy == .shadow && !table.isPartitioned && !table.replacesRows)
            #expect(table.mapping.columns.map(\.green) == ["value", "day", "weight", "id"])
            #expect(table.columns.map(\.greenName) == ["id", "day", "value", "weight"])
            #expect(plan.warnings.contains("the new item does not have the old one's NOT NULL of column day"))
            #expect(
                plan.warnings.contains("the new item does not have the old one's index USING btree (value)"),
                "\(plan.warnings)")
        }
    }

    @Test func theReportNamesThePartitions() async throws {
        try await PlanServers.each(setup: Self.setup) { database in
            let plan = try await database.dryRun(
                MigrationRequest(
                    change: .script(
                        Self.tree(Self.plain, then: "CREATE TABLE item_all PARTITION OF item DEFAULT"))))
            let table = try #require(plan.tables.first)
            #expect(table.isPartitioned && table.replacesRows)
            #expect(table.indexes.map(\.name) == ["item_all_pkey"])
            #expect(table.indexes.first?.isKey == true)
            let report = PlanReport(plan: plan).text
            #expect(report.contains("  it_green.item_all") || report.contains("item_green.item_all"), "\(report)")
            #expect(report.contains("the script puts another table in its place"))
        }
    }
}
