import PgConnection
import Testing

@testable import ShadowAlter

@Suite struct SwapSQLTests {
    private func name(_ schema: String, _ name: String) -> QualifiedName { QualifiedName(schema: schema, name: name) }

    @Test func theTablesChangePlacesInThisOrder() {
        let statements = SwapSQL.statements(
            for: [TablePlan.item().exchange], blueSchema: "item_blue", statistics: [.init(source: [], green: [])])
        #expect(
            statements == [
                #"ALTER TABLE "public"."item" SET SCHEMA "item_blue""#,
                #"ALTER TABLE "item_green"."item" SET SCHEMA "public""#,
            ])
    }

    /// Owned, it would go to blue with the table that the application no longer uses.
    @Test func aSerialSequenceStays() {
        let table = TablePlan.item(sequences: [
            .serial(sequence: name("public", "item_id_seq"), greenColumn: "id"),
            .serial(sequence: name("public", "dropped_seq"), greenColumn: nil),
        ])
        let statements = SwapSQL.statements(
            for: [table.exchange], blueSchema: "item_blue", statistics: [.init(source: [], green: [])])
        #expect(statements.first == #"ALTER SEQUENCE "public"."item_id_seq" OWNED BY NONE"#)
        #expect(statements.last == #"ALTER SEQUENCE "public"."item_id_seq" OWNED BY "public"."item"."id""#)
        // The dropped column's sequence goes with the old table.
        #expect(!statements.contains { $0.contains("dropped_seq") })
    }

    @Test func anIdentityTakesOverThePositionBeforeTheTablesMove() {
        let table = TablePlan.item(sequences: [
            .identity(source: name("public", "item_id_seq"), green: name("item_green", "item_id_seq"))
        ])
        let statements = SwapSQL.statements(
            for: [table.exchange], blueSchema: "item_blue", statistics: [.init(source: [], green: [])])
        #expect(
            statements.first
                == #"SELECT setval('"item_green"."item_id_seq"', last_value, is_called) FROM "public"."item_id_seq""#)
        #expect(statements.count == 3)
    }

    @Test func statisticsMoveWithTheirTables() {
        let statements = SwapSQL.statements(
            for: [TablePlan.item().exchange], blueSchema: "item_blue",
            statistics: [.init(source: [name("public", "stat")], green: [name("item_green", "stat")])])
        #expect(
            statements == [
                #"ALTER TABLE "public"."item" SET SCHEMA "item_blue""#,
                #"ALTER STATISTICS "public"."stat" SET SCHEMA "item_blue""#,
                #"ALTER TABLE "item_green"."item" SET SCHEMA "public""#,
                #"ALTER STATISTICS "item_green"."stat" SET SCHEMA "public""#,
            ])
    }

    /// An index's name may have gone from one table to the other, so that both old ones must be away before a new one comes.
    @Test func allOldTablesLeaveFirst() {
        var second = TablePlan.item()
        second.source = name("shop", "order")
        second.green = name("item_green", "order")
        let statements = SwapSQL.statements(
            for: [TablePlan.item().exchange, second.exchange], blueSchema: "item_blue",
            statistics: [.init(source: [], green: []), .init(source: [], green: [])])
        #expect(
            statements == [
                #"ALTER TABLE "public"."item" SET SCHEMA "item_blue""#,
                #"ALTER TABLE "shop"."order" SET SCHEMA "item_blue""#,
                #"ALTER TABLE "item_green"."item" SET SCHEMA "public""#,
                #"ALTER TABLE "item_green"."order" SET SCHEMA "shop""#,
            ])
    }
}
