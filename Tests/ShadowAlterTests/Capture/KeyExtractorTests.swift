import PgOutput
import Testing

@testable import ShadowAlter

@Suite struct KeyExtractorTests {
    private func extractor(_ columns: [String], key: [ShadowAlter.KeyColumn]) throws -> KeyExtractor {
        let relation = Relation(
            relationID: 1, namespace: "public", name: "item", replicaIdentity: .default,
            columns: columns.map { Relation.Column(isKey: true, name: $0, typeID: 25) })
        return try KeyExtractor(relation, table: .item(key: key))
    }

    private func text(_ value: String) -> TupleValue { .text(Array(value.utf8)) }

    /// The tuple has the table's order, the spool the key's.
    @Test func takesTheKeysOwnOrderByName() throws {
        let extractor = try extractor(["code", "id", "value"], key: [.id, .code])
        let key = try extractor.key([text("a"), text("7"), .null])
        #expect(String(decoding: key, as: UTF8.self) == "7\ta")
    }

    @Test func escapesWhatCopyWouldTakeForSomethingElse() throws {
        let extractor = try extractor(["code"], key: [.code])
        let key = try extractor.key([text("a\\b\tc\nd\re\\N")])
        #expect(String(decoding: key, as: UTF8.self) == "a\\\\b\\tc\\nd\\re\\\\N")
    }

    @Test func unchangedToastComesFromTheOldTuple() throws {
        let extractor = try extractor(["id", "code"], key: [.id, .code])
        let key = try extractor.key([text("2"), .unchangedToast], old: [text("1"), text("long")])
        #expect(String(decoding: key, as: UTF8.self) == "2\tlong")
    }

    @Test(arguments: [TupleValue.null, .unchangedToast])
    func aMissingValueIsAnError(_ value: TupleValue) throws {
        let extractor = try extractor(["id"], key: [.id])
        let error = #expect(throws: MigrationError.self) { try extractor.key([value]) }
        #expect(error?.code == .inconsistent)
        #expect(throws: MigrationError.self) { try extractor.key([]) }
    }
}
