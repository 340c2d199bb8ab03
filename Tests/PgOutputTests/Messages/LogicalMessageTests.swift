import PgOutput
import Testing

@Suite("Message")
struct LogicalMessageTests {
    private let lsn: [UInt8] = [0, 0, 0, 0, 0x01, 0x54, 0x9C, 0x70]

    @Test("transactional and not", arguments: [false, true])
    func layout(isTransactional: Bool) throws {
        let message = LogicalMessage(
            isTransactional: isTransactional, lsn: LSN(rawValue: 0x154_9C70), prefix: "p", content: [0, 0xFF])
        try expectWellBehaved(
            .message(message), onTheWire: [0x4D, isTransactional ? 1 : 0] + lsn + [0x70, 0, 0, 0, 0, 2, 0, 0xFF])
    }

    @Test func nothingInIt() throws {
        let message = LogicalMessage(
            isTransactional: false, lsn: LSN(rawValue: 0x154_9C70), prefix: "", content: [])
        try expectWellBehaved(.message(message), onTheWire: [0x4D, 0] + lsn + [0, 0, 0, 0, 0])
    }

    @Test func unknownFlags() {
        expectError([0x4D, 3] + lsn + [0, 0, 0, 0, 0], .unknownFlags(3, known: 1), .message, .flags, at: 1)
    }

    @Test func prefixIsChecked() {
        expectError([0x4D, 0] + lsn + [0x70], .unterminatedString, .message, .messagePrefix, at: 10)
        expectError([0x4D, 0] + lsn + [0x90, 0, 0, 0, 0, 0], .invalidUTF8, .message, .messagePrefix, at: 10)
    }

    @Test func contentLengthIsChecked() {
        expectError(
            [0x4D, 0] + lsn + [0, 0xFF, 0xFF, 0xFF, 0xFF], .negativeCount(-1), .message, .contentLength, at: 11)
        expectError(
            [0x4D, 0] + lsn + [0, 0x7F, 0xFF, 0xFF, 0xFF, 1], .truncated(needed: 2_147_483_647, available: 1),
            .message, .content, at: 15)
    }
}
