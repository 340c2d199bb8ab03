import PgOutput
import Testing

@Suite("Begin")
struct BeginTests {
    private let wire: [UInt8] =
        [0x42] + [0, 0, 0, 0x16, 0xB3, 0x74, 0xD8, 0x48] + [0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFE]
        + [0xFF, 0xFF, 0xFF, 0xFF]

    @Test func layout() throws {
        let begin = Begin(finalLSN: LSN(rawValue: 0x16_B374_D848), commitTimestamp: -2, xid: .max)
        try expectWellBehaved(.begin(begin), onTheWire: wire)
    }

    @Test func truncationNamesTheField() {
        expectError(Array(wire[..<8]), .truncated(needed: 8, available: 7), .begin, .finalLSN, at: 1)
        expectError(Array(wire[..<9]), .truncated(needed: 8, available: 0), .begin, .commitTimestamp, at: 9)
        expectError(Array(wire[..<20]), .truncated(needed: 4, available: 3), .begin, .xid, at: 17)
    }
}
