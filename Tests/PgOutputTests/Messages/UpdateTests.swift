import PgOutput
import Testing

@Suite("Update")
struct UpdateTests {
    private let head: [UInt8] = [0x55, 0, 0, 0x40, 1]
    private let one: [UInt8] = [0, 1, 0x74, 0, 0, 0, 1, 0x31]
    private let toast: [UInt8] = [0, 1, 0x75]

    @Test func withoutOldRow() throws {
        let update = Update(relationID: 0x4001, old: nil, new: [.unchangedToast])
        try expectWellBehaved(.update(update), onTheWire: head + [0x4E] + toast)
    }

    @Test func withOldKey() throws {
        let update = Update(relationID: 0x4001, old: .key([.text([0x31])]), new: [.unchangedToast])
        try expectWellBehaved(.update(update), onTheWire: head + [0x4B] + one + [0x4E] + toast)
    }

    @Test func withWholeOldRow() throws {
        let update = Update(relationID: 0x4001, old: .full([.unchangedToast]), new: [.text([0x31])])
        try expectWellBehaved(.update(update), onTheWire: head + [0x4F] + toast + [0x4E] + one)
    }

    @Test("the first tag is K, O or N", arguments: Array("nXk".utf8))
    func unexpectedFirstTag(tag: UInt8) {
        expectError(
            head + [tag] + one, .unexpectedTag(tag, expected: "'K', 'O' or 'N'"), .update, .tupleTag, at: 5)
    }

    @Test("an old row is followed by the new one, not by another old one", arguments: Array("KOn".utf8))
    func unexpectedSecondTag(tag: UInt8) {
        expectError(
            head + [0x4B] + one + [tag] + one, .unexpectedTag(tag, expected: "'N'"), .update, .tupleTag, at: 14)
        expectError(
            head + [0x4F] + toast + [tag] + one, .unexpectedTag(tag, expected: "'N'"), .update, .tupleTag, at: 9)
    }

    @Test func theNewRowMustCome() {
        expectError(head + [0x4B] + one, .truncated(needed: 1, available: 0), .update, .tupleTag, at: 14)
    }
}
