import PgOutput
import Testing

@Suite("Insert")
struct InsertTests {
    private let head: [UInt8] = [0x49, 0, 0, 0x40, 1]

    @Test func layout() throws {
        let insert = Insert(
            relationID: 0x4001, new: [.text([0x31]), .null, .unchangedToast, .binary([0, 0xFF]), .text([])])
        try expectWellBehaved(
            .insert(insert),
            onTheWire: head + [0x4E, 0, 5] + [0x74, 0, 0, 0, 1, 0x31] + [0x6E] + [0x75]
                + [0x62, 0, 0, 0, 2, 0, 0xFF] + [0x74, 0, 0, 0, 0])
    }

    @Test func aRowMayHaveNoColumns() throws {
        try expectWellBehaved(.insert(Insert(relationID: 0x4001, new: [])), onTheWire: head + [0x4E, 0, 0])
    }

    @Test("only a new row can follow", arguments: Array("KOnZ".utf8) + [0])
    func unexpectedTupleTag(tag: UInt8) {
        expectError(head + [tag, 0, 0], .unexpectedTag(tag, expected: "'N'"), .insert, .tupleTag, at: 5)
    }

    @Test func truncationNamesTheField() {
        expectError([0x49, 0, 0], .truncated(needed: 4, available: 2), .insert, .relationID, at: 1)
        expectError(head, .truncated(needed: 1, available: 0), .insert, .tupleTag, at: 5)
        expectError(head + [0x4E, 0], .truncated(needed: 2, available: 1), .insert, .valueCount, at: 6)
    }
}
