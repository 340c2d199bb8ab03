import PgConnection
import TestSupport
import Testing
import ThrowawayServer

@Suite struct QuotingTests {
    static let texts = [
        "", "plain", "Upper Case", "it's", "say \"so\"", "back\\slash", "\\'", "'\u{301}", "\"\u{301}", "\\\u{301}",
        "'; DROP TABLE t; --", "line\nbreak\r\ttab", "\u{1F600}\u{200D}\u{1F4A9}", "ünïcödé", "$$", "E'x'", "%s{}",
        "--", "/*",
        String(repeating: "x", count: 63), String(repeating: "é", count: 31),
    ]

    /// Random text with a bias towards what is special in SQL.
    static func random(_ generator: inout some RandomNumberGenerator) -> String {
        let special: [Unicode.Scalar] = [
            "'", "\"", "\\", "\u{301}", "\n", "$", "E", ";", "{", "}", ",", " ", "\u{20E3}",
        ]
        var scalars = String.UnicodeScalarView()
        for _ in 0..<Int.random(in: 0...20, using: &generator) {
            let any = Unicode.Scalar(UInt32.random(in: 1...0x10FFFF, using: &generator)) ?? "x"
            scalars.append(Bool.random(using: &generator) ? special.randomElement(using: &generator) ?? "x" : any)
        }
        return String(scalars)
    }

    static func samples() -> [String] {
        var generator = SystemRandomNumberGenerator()
        return texts + (0..<500).map { _ in random(&generator) }
    }

    @Test func doublesQuotesThatACombiningMarkFollows() {
        #expect(Array(Quoting.literal("'\u{301}").unicodeScalars) == ["'", "'", "'", "\u{301}", "'"])
        #expect(Quoting.identifier("\"\u{301}").unicodeScalars.map(\.value) == [34, 34, 34, 0x301, 34])
    }

    @Test(arguments: try await TestServers.all())
    func literalsComeBackAsTheyWere(_ version: ServerBinaries) async throws {
        for conforming in ["on", "off"] {
            let connection = try await connect(
                version, settings: ["standard_conforming_strings": conforming, "escape_string_warning": "off"])
            for text in Self.samples() {
                let back: String = try await connection.execute("SELECT " + Quoting.literal(text)).single().value()
                #expect(Array(back.utf8) == Array(text.utf8))
            }
        }
    }

    @Test(arguments: try await TestServers.all())
    func identifiersComeBackAsTheyWere(_ version: ServerBinaries) async throws {
        let connection = try await connect(version)
        for text in Self.samples() where !text.isEmpty && text.utf8.count <= 63 {
            let result = try await connection.execute("SELECT 1 AS \(Quoting.identifier(text))")
            #expect(Array(try #require(result.columnNames.first).utf8) == Array(text.utf8))
            let row = try result.single()
            #expect(try row.get(text) == 1)
        }
    }

    @Test(arguments: try await TestServers.all())
    func parametersAndArraysComeBackAsTheyWere(_ version: ServerBinaries) async throws {
        let connection = try await connect(version)
        let samples = Self.samples() + ["NULL", "null"]
        for text in samples {
            let back: String = try await connection.query("SELECT $1::text", [.text(text)]).single().value()
            #expect(Array(back.utf8) == Array(text.utf8))
        }
        let back: [String] = try await connection.query("SELECT $1::text[]", [.array(samples)]).single().value()
        #expect(back.map { Array($0.utf8) } == samples.map { Array($0.utf8) })
        let empty: [String] = try await connection.query("SELECT $1::text[]", [.array([])]).single().value()
        #expect(empty.isEmpty)
        let row = try await connection.query("SELECT $1::text AS a, $2::int8 AS b", [nil, .int(Int64.min)]).single()
        #expect(try row.optional("a", as: String.self) == nil)
        #expect(try row.get("b") == Int64.min)
        #expect(row.text(2) == nil)
        #expect(row.text(-1) == nil)
    }

    @Test(arguments: try await TestServers.all())
    func aNULCharacterIsRefusedInsteadOfCuttingTheTextShort(_ version: ServerBinaries) async throws {
        let connection = try await connect(version)
        let parameter = await pgError { try await connection.query("SELECT $1::text", [.text("a\0b")]) }
        #expect(parameter?.code == .unexpectedResult)
        let statement = await pgError { try await connection.execute("SELECT 1\0; SELECT 2") }
        #expect(statement?.code == .unexpectedResult)
    }
}
