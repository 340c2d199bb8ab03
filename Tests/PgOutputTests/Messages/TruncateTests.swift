import PgOutput
import Testing

@Suite("Truncate")
struct TruncateTests {
    @Test(
        "options",
        arguments: [(false, false, 0), (true, false, 1), (false, true, 2), (true, true, 3)] as [(Bool, Bool, UInt8)])
    func layout(cascade: Bool, restartIdentity: Bool, options: UInt8) throws {
        let truncate = Truncate(
            relationIDs: [0x4001, .max], cascade: cascade, restartIdentity: restartIdentity)
        try expectWellBehaved(
            .truncate(truncate), onTheWire: [0x54, 0, 0, 0, 2, options, 0, 0, 0x40, 1, 0xFF, 0xFF, 0xFF, 0xFF])
    }

    @Test("options that protocol 1 does not define are refused", arguments: [4, 7, 0x80] as [UInt8])
    func unknownOptions(options: UInt8) {
        expectError(
            [0x54, 0, 0, 0, 1, options, 0, 0, 0, 1], .unknownFlags(options, known: 3), .truncate, .truncateOptions,
            at: 5)
    }

    @Test func countsAreChecked() {
        expectError([0x54, 0x80, 0, 0, 0, 0], .negativeCount(-2_147_483_648), .truncate, .relationCount, at: 1)
        expectError(
            [0x54, 0x7F, 0xFF, 0xFF, 0xFF, 0, 0, 0, 0, 1],
            .countExceedsMessage(count: 2_147_483_647, availableBytes: 5), .truncate, .relationCount, at: 1)
        expectError(
            [0x54, 0, 0, 0, 2, 0, 0, 0, 0, 1, 0, 0], .countExceedsMessage(count: 2, availableBytes: 7), .truncate,
            .relationCount, at: 1)
    }

    @Test func tooFewRelations() {
        expectError(
            [0x54, 0, 0, 0, 1, 0, 0, 0, 1], .truncated(needed: 4, available: 3), .truncate, .relationID, at: 6)
    }
}
