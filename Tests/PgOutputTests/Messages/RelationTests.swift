import PgOutput
import Testing

@Suite("Relation")
struct RelationTests {
    private let head: [UInt8] = [0x52, 0, 0, 0x40, 1] + [0x73, 0] + [0x74, 0]

    @Test func layout() throws {
        let relation = Relation(
            relationID: 0x4001, namespace: "s", name: "t", replicaIdentity: .index,
            columns: [
                Relation.Column(isKey: true, name: "a", typeID: 23),
                Relation.Column(isKey: false, name: "b", typeID: .max, typeModifier: 24),
            ])
        try expectWellBehaved(
            .relation(relation),
            onTheWire: head + [0x69, 0, 2] + [1, 0x61, 0] + [0, 0, 0, 23] + [0xFF, 0xFF, 0xFF, 0xFF]
                + [0, 0x62, 0] + [0xFF, 0xFF, 0xFF, 0xFF] + [0, 0, 0, 24])
    }

    @Test("a table may have no columns", arguments: zip(ReplicaIdentity.allCases, "dnfi".utf8))
    func identities(identity: ReplicaIdentity, tag: UInt8) throws {
        let relation = Relation(
            relationID: 0x4001, namespace: "s", name: "t", replicaIdentity: identity, columns: [])
        try expectWellBehaved(.relation(relation), onTheWire: head + [tag, 0, 0])
    }

    @Test func theEmptyNamespaceIsPgCatalog() {
        var relation = Relation(relationID: 1, namespace: "", name: "t", replicaIdentity: .full, columns: [])
        #expect(relation.schemaName == "pg_catalog")
        relation.namespace = "public"
        #expect(relation.schemaName == "public")
    }

    @Test func unknownIdentity() {
        expectError(
            head + [0x7A, 0, 0], .unexpectedTag(0x7A, expected: "'d', 'n', 'f' or 'i'"), .relation, .replicaIdentity,
            at: 9)
    }

    @Test func countsAreChecked() {
        expectError(head + [0x64, 0xFF, 0xFF], .negativeCount(-1), .relation, .columnCount, at: 10)
        expectError(
            head + [0x64, 0x7F, 0xFF] + Array(repeating: 0, count: 19),
            .countExceedsMessage(count: 32_767, availableBytes: 19), .relation, .columnCount, at: 10)
        // A column takes ten bytes at least.
        expectError(
            head + [0x64, 0, 2] + Array(repeating: 0, count: 19), .countExceedsMessage(count: 2, availableBytes: 19),
            .relation, .columnCount, at: 10)
    }

    @Test func stringsMustEnd() {
        expectError(Array(head[..<6]), .unterminatedString, .relation, .namespace, at: 5)
        expectError(Array(head[..<8]), .unterminatedString, .relation, .relationName, at: 7)
        expectError(
            head + [0x64, 0, 1, 0] + Array(repeating: 0x61, count: 20), .unterminatedString, .relation, .columnName,
            at: 13)
    }

    @Test func unknownColumnFlags() {
        expectError(
            head + [0x64, 0, 1, 2, 0] + Array(repeating: 0, count: 8), .unknownFlags(2, known: 1), .relation,
            .columnFlags, at: 12)
    }

    @Test func namesMustBeUTF8() {
        expectError([0x52, 0, 0, 0, 1, 0x80, 0, 0], .invalidUTF8, .relation, .namespace, at: 5)
        expectError([0x52, 0, 0, 0, 1, 0, 0x80, 0], .invalidUTF8, .relation, .relationName, at: 6)
        expectError(
            head + [0x64, 0, 1, 0, 0x80, 0] + Array(repeating: 0, count: 8), .invalidUTF8, .relation, .columnName,
            at: 13)
    }
}
