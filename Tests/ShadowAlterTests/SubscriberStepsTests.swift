import Testing

@testable import ShadowAlter

/// What subscribers are told.
struct SubscriberStepsTests {
    private func facts(_ name: String, _ type: String = "integer", generated: Bool = false) -> ColumnFacts {
        ColumnFacts(
            number: 1, name: name, typeOID: 23, typeModifier: -1, collationOID: 0, type: type, isNotNull: false,
            isGenerated: generated, isIdentity: false, hasDefault: false)
    }

    private func column(_ name: String, _ green: String?, isNew: Bool = false) -> ColumnPlan {
        ColumnPlan(number: 1, name: name, greenName: green, hasNewType: isNew)
    }

    private func text(
        _ columns: [ColumnPlan], _ before: [ColumnFacts], _ after: [ColumnFacts], list: [String]? = nil,
        withGenerated: Bool = false
    ) -> String {
        SubscriberSteps(columns: columns, before: before, after: after, list: list, withGenerated: withGenerated).text
    }

    @Test func nothingChanges() {
        let same = [facts("id"), facts("twice", generated: true)]
        #expect(
            text([column("id", "id"), column("twice", "twice")], same, same) == "subscribers need not do anything")
    }

    @Test func everyKindOfChange() {
        let found = text(
            [column("id", "id", isNew: true), column("old", "new"), column("gone", nil)],
            [facts("id"), facts("old"), facts("gone")], [facts("id", "bigint"), facts("new"), facts("added", "text")])
        for words in [
            "column id must take bigint", "column old must be called new", "column gone gets no value",
            "need the column added text",
        ] { #expect(found.contains(words), "\(found)") }
    }

    @Test func whatIsNotListedDoesNotMatter() {
        let found = text(
            [column("id", "id"), column("other", nil)], [facts("id"), facts("other")], [facts("id"), facts("added")],
            list: ["id"])
        #expect(found == "subscribers need not do anything")
    }

    /// Generated columns are published from PostgreSQL 18 on, if the publication says so.
    @Test func generatedColumns() {
        let (columns, before) = (
            [column("id", "id"), column("twice", "twice")], [facts("id"), facts("twice", generated: true)]
        )
        let after = [facts("id"), facts("twice")]
        #expect(text(columns, before, after).contains("need the column twice"))
        #expect(text(columns, before, after, withGenerated: true) == "subscribers need not do anything")
        #expect(text(columns, after, before).contains("column twice gets no value"))
    }
}
