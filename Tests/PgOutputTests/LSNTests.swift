import PgOutput
import Testing

@Suite("LSN")
struct LSNTests {
    @Test(
        "text form",
        arguments: [
            (0x16_B374_D848, "16/B374D848"), (0, "0/0"), (.max, "FFFFFFFF/FFFFFFFF"), (0xA, "0/A"),
            (0x1_0000_0000, "1/0"),
        ] as [(UInt64, String)])
    func text(value: UInt64, text: String) {
        #expect(LSN(rawValue: value).description == text)
        #expect(LSN(text) == LSN(rawValue: value))
    }

    @Test func eitherCaseAndLeadingZerosAreRead() {
        #expect(LSN("16/b374d848") == LSN(rawValue: 0x16_B374_D848))
        #expect(LSN("00000016/0000000A") == LSN(rawValue: 0x16_0000_000A))
    }

    @Test(
        "what pg_lsn_in refuses",
        arguments: [
            "", "/", "0", "1/", "/1", "1/2/3", "1//2", "-1/0", "+1/0", "0/+1", " 1/0", "1/0 ", "0x1/0", "G/0", "0/1_0",
            "123456789/0", "0/123456789", "0/１", "ü/0", "0/0\0",
        ])
    func refused(text: String) {
        #expect(LSN(text) == nil)
    }

    @Test func order() {
        #expect(LSN(rawValue: 0xFFFF_FFFF) < LSN(rawValue: 0x1_0000_0000))
        #expect([LSN(rawValue: 2), .invalid, LSN(rawValue: .max)].max() == LSN(rawValue: .max))
        #expect(LSN.invalid.rawValue == 0)
    }
}
