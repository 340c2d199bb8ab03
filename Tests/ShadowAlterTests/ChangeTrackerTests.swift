import Testing

@testable import ShadowAlter

@Suite struct ChangeTrackerTests {
    private func column(_ number: Int, _ name: String, type: UInt32 = 23, generated: Bool = false) -> ColumnFacts {
        ColumnFacts(
            number: number, name: name, typeOID: type, typeModifier: -1, collationOID: 0, type: "type \(type)",
            collation: nil,
            isNotNull: false, isGenerated: generated, isIdentity: false, hasDefault: false)
    }

    private func alter(_ clauses: String) throws -> AlterTable {
        AlterTable(clauses: try #require(try SQLStatement.split(clauses).first))
    }

    @Test func renamesTypesDropsAndAdditionsAreFacts() throws {
        var tracker = ChangeTracker(original: [
            column(1, "id"), column(2, "gone"), column(3, "old"), column(4, "gen", generated: true),
        ])
        try tracker.apply(
            nil,
            after: [column(1, "id", type: 20), column(3, "new"), column(4, "gen", generated: true), column(5, "added")])
        let mapping = tracker.mapping(table: "t")
        #expect(mapping.sourceNames == ["id", "gone", "old", "gen"])
        #expect(
            mapping.columns == [.init(green: "id", expression: #""id""#), .init(green: "new", expression: #""old""#)])
        #expect(tracker.added.map(\.name) == ["added"])
    }

    @Test func aUsingIsWrittenUnderTheNamesOfItsTime() throws {
        var tracker = ChangeTracker(original: [column(1, "id"), column(2, "a"), column(3, "b")])
        try tracker.apply(try alter("rename a to c"), after: [column(1, "id"), column(2, "c"), column(3, "b")])
        try tracker.apply(try alter("drop b"), after: [column(1, "id"), column(2, "c")])
        try tracker.apply(
            try alter("alter c type text using c || 'x'"), after: [column(1, "id"), column(2, "c", type: 25)])
        let mapping = tracker.mapping(table: "t")
        #expect(mapping.sourceNames == ["id", "c", "shadow_alter_dropped_3"])
        #expect(
            mapping.columns == [.init(green: "id", expression: #""id""#), .init(green: "c", expression: "(c || 'x')")])
    }

    @Test func aColumnThatStopsBeingGeneratedKeepsItsValues() throws {
        var tracker = ChangeTracker(original: [column(1, "g", generated: true)])
        try tracker.apply(try alter("alter g drop expression"), after: [column(1, "g")])
        #expect(tracker.mapping(table: "t").columns == [.init(green: "g", expression: #""g""#)])
    }

    @Test func aUsingOverAlreadyChangedTypesIsRefused() throws {
        var tracker = ChangeTracker(original: [column(1, "a"), column(2, "b")])
        try tracker.apply(try alter("alter a type text"), after: [column(1, "a", type: 25), column(2, "b")])
        #expect(throws: Refused.self) {
            try tracker.apply(
                try alter("alter b type text using a || b"),
                after: [column(1, "a", type: 25), column(2, "b", type: 25)])
        }
    }

    @Test func aTypeChangesOnce() throws {
        var tracker = ChangeTracker(original: [column(1, "a")])
        try tracker.apply(nil, after: [column(1, "a", type: 25)])
        #expect(throws: Refused.self) { try tracker.apply(nil, after: [column(1, "a", type: 20)]) }
    }
}
