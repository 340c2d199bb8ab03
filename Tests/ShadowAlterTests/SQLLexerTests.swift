import Testing

@testable import ShadowAlter

@Suite struct SQLLexerTests {
    private func kinds(_ text: String, standardStrings: Bool = true) throws -> [SQLToken.Kind] {
        try SQLLexer.tokens(of: text, standardStrings: standardStrings).map(\.kind)
    }

    @Test func foldsWordsAndKeepsQuotedNames() throws {
        #expect(
            try kinds(#"ALTER "Weird ""Name" ÄÖ_1$x"#) == [
                .word("alter"), .quoted(#"Weird "Name"#), .word("ÄÖ_1$x"),
            ])
    }

    @Test func skipsNestedComments() throws {
        #expect(try kinds("a /* b /* c */ ; */ d -- e ; f\n g") == [.word("a"), .word("d"), .word("g")])
    }

    @Test(arguments: [
        "'it''s; /* no comment */'", #"E'a\'b;'"#, "$$ ; ' $$", "$tag$ $$ ; $tag$", "B'01'", "x'ff'", "U&'\\0061'",
        "n'x'",
    ])
    func stringsAreOneLiteral(_ literal: String) throws {
        #expect(try kinds(literal + ";") == [.literal, .symbol(";")])
    }

    @Test func backslashesCountOnlyWhereTheyEscape() throws {
        #expect(try kinds(#"'a\' b"#) == [.literal, .word("b")])
        #expect(try kinds(#"'a\' b'"#, standardStrings: false) == [.literal])
    }

    @Test func parametersAndNumbersAreNoDollarQuotes() throws {
        #expect(try kinds("$1 a$b$c 1.5e3") == [.symbol("$"), .number, .word("a$b$c"), .number])
    }

    @Test(arguments: [
        ("'abc", "a string", 0), ("x \"abc", "a quoted name", 2), ("/* /* */", "a comment", 0),
        ("$a$ b", "a dollar-quoted string", 0),
    ])
    func saysWhatHasNoEnd(text: String, what: String, offset: Int) {
        #expect(throws: SQLLexer.Unterminated(what: what, offset: offset)) {
            try SQLLexer.tokens(of: text)
        }
    }

    /// Whatever the input: an answer or an error, and tokens that lie in order inside the text.
    @Test func survivesAnything() throws {
        var state: UInt64 = 20_261_121
        let alphabet = Array("aE$'\"\\/*-;(),1 \n.ÄU&x")
        for _ in 0..<20_000 {
            var text = ""
            state = state &* 6_364_136_223_846_793_005 &+ 1_442_695_040_888_963_407
            for _ in 0..<(state >> 60) {
                state = state &* 6_364_136_223_846_793_005 &+ 1_442_695_040_888_963_407
                text.append(alphabet[Int((state >> 33) % UInt64(alphabet.count))])
            }
            guard let tokens = try? SQLLexer.tokens(of: text) else { continue }
            var end = 0
            for token in tokens {
                #expect(
                    token.range.lowerBound >= end && token.range.upperBound <= text.utf8.count && !token.range.isEmpty)
                end = token.range.upperBound
            }
        }
    }
}
