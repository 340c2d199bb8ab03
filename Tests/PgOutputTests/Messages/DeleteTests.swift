import PgOutput
import Testing

@Suite("Delete")
struct DeleteTests {
    private let head: [UInt8] = [0x44, 0xFF, 0xFF, 0xFF, 0xFF]

    @Test func byKey() throws {
        let delete = Delete(relationID: .max, old: .key([.text([0x37]), .null]))
        try expectWellBehaved(.delete(delete), onTheWire: head + [0x4B, 0, 2, 0x74, 0, 0, 0, 1, 0x37, 0x6E])
    }

    @Test func byWholeRow() throws {
        let delete = Delete(relationID: .max, old: .full([.null, .binary([7])]))
        try expectWellBehaved(.delete(delete), onTheWire: head + [0x4F, 0, 2, 0x6E, 0x62, 0, 0, 0, 1, 7])
    }

    @Test("only an old row can follow", arguments: Array("Nko".utf8))
    func unexpectedTupleTag(tag: UInt8) {
        expectError(head + [tag, 0, 0], .unexpectedTag(tag, expected: "'K' or 'O'"), .delete, .tupleTag, at: 5)
    }
}
