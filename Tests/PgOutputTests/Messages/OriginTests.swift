import PgOutput
import Testing

@Suite("Origin")
struct OriginTests {
    private let head: [UInt8] = [0x4F] + [0, 0, 0, 0, 0, 0, 1, 0]

    @Test func layout() throws {
        let origin = Origin(commitLSN: LSN(rawValue: 256), name: "ü")
        try expectWellBehaved(.origin(origin), onTheWire: head + [0xC3, 0xBC, 0])
        try expectWellBehaved(.origin(Origin(commitLSN: LSN(rawValue: 256), name: "")), onTheWire: head + [0])
    }

    @Test func nameMustEnd() {
        expectError(head + Array("upstream".utf8), .unterminatedString, .origin, .originName, at: 9)
        expectError(head, .unterminatedString, .origin, .originName, at: 9)
    }

    @Test("names that are not UTF-8 are refused", arguments: [[0xFF], [0xC3], [0xC0, 0x80], [0xED, 0xA0, 0x80]])
    func invalidName(name: [UInt8]) {
        expectError(head + name + [0], .invalidUTF8, .origin, .originName, at: 9)
    }
}
