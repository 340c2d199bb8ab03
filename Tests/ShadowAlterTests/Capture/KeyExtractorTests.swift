import PgConnection
import PgOutput
import Testing

@testable import ShadowAlter

@Suite struct KeyExtractorTests {
    private func extractor(
        _ columns: [String], key: [ShadowAlter.KeyColumn], identity: Set<String>? = nil
    ) throws -> KeyExtractor {
        let relation = Relation(
            relationID: 1, namespace: "public", name: "item", replicaIdentity: .default,
            columns: columns.map { Relation.Column(isKey: identity?.contains($0) ?? true, name: $0, typeID: 25) })
        return try KeyExtractor(relation, table: .item(key: key))
    }

    /// The key of the new row, as it is spooled.
    private func key(_ extractor: KeyExtractor, _ new: [TupleValue], old: [TupleValue]? = nil) throws -> String {
        var row = CopyTextRows()
        row.append("what was there before".utf8)
        let bytes = StreamMessage.update(1, old: old, values: new).bytes
        var decoder = PgOutputDecoder()
        let frame = try #require(try decoder.rowFrame(bytes.span.bytes))
        try extractor.read(try #require(frame.new), old: frame.old?.tuple, in: bytes.span.bytes, into: &row)
        return String(decoding: row.bytes, as: UTF8.self)
    }

    private func text(_ value: String) -> TupleValue { .text(Array(value.utf8)) }

    /// The tuple has the table's order, the spool the key's.
    @Test func takesTheKeysOwnOrderByName() throws {
        let extractor = try extractor(["code", "id", "value"], key: [.id, .code])
        #expect(try key(extractor, [text("a"), text("7"), .null]) == "7\ta")
    }

    @Test func escapesWhatCopyWouldTakeForSomethingElse() throws {
        let extractor = try extractor(["code"], key: [.code])
        #expect(try key(extractor, [text("a\\b\tc\nd\re\\N")]) == "a\\\\b\\tc\\nd\\re\\\\N")
    }

    @Test func unchangedToastComesFromTheOldTuple() throws {
        let extractor = try extractor(["id", "code"], key: [.id, .code])
        #expect(try key(extractor, [text("2"), .unchangedToast], old: [text("1"), text("long")]) == "2\tlong")
    }

    @Test(arguments: [TupleValue.null, .unchangedToast])
    func aMissingValueIsAnError(_ value: TupleValue) throws {
        let extractor = try extractor(["id"], key: [.id])
        let error = #expect(throws: MigrationError.self) { try key(extractor, [value]) }
        #expect(error?.code == .inconsistent)
        #expect(throws: MigrationError.self) { try key(extractor, []) }
    }

    @Test func aKeyThatIsNotInTheIdentityIsRefused() throws {
        _ = try extractor(["id", "code", "value"], key: [.id, .code], identity: ["id", "code"])
        #expect(throws: MigrationError.self) {
            try extractor(["id", "code", "value"], key: [.id, .code], identity: ["id", "value"])
        }
    }
}
