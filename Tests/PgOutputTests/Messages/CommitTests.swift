import PgOutput
import Testing

@Suite("Commit")
struct CommitTests {
    private let wire: [UInt8] =
        [0x43, 0] + [0, 0, 0, 1, 0, 0, 0, 2] + [0, 0, 0, 3, 0, 0, 0, 4] + [0x80, 0, 0, 0, 0, 0, 0, 0]

    @Test func layout() throws {
        let commit = Commit(
            commitLSN: LSN(rawValue: 0x1_0000_0002), endLSN: LSN(rawValue: 0x3_0000_0004), commitTimestamp: .min)
        try expectWellBehaved(.commit(commit), onTheWire: wire)
    }

    @Test("flags that protocol 1 does not define are refused", arguments: [1, 0x80, 0xFF] as [UInt8])
    func unknownFlags(flags: UInt8) {
        var bytes = wire
        bytes[1] = flags
        expectError(bytes, .unknownFlags(flags, known: 0), .commit, .flags, at: 1)
    }

    @Test func truncationNamesTheField() {
        expectError([0x43], .truncated(needed: 1, available: 0), .commit, .flags, at: 1)
        expectError(Array(wire[..<3]), .truncated(needed: 8, available: 1), .commit, .commitLSN, at: 2)
        expectError(Array(wire[..<10]), .truncated(needed: 8, available: 0), .commit, .endLSN, at: 10)
        expectError(Array(wire[..<25]), .truncated(needed: 8, available: 7), .commit, .commitTimestamp, at: 18)
    }
}
