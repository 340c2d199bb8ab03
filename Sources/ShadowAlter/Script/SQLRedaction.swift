/// SQL text for logs: what stands in string constants and in comments is left out. Pure.
///
/// `USING pgp_sym_decrypt(x, 'secret')` is a change like any other.
enum SQLRedaction {
    static let mark = "…"

    /// A string constant of a text.
    struct Literal: Equatable {
        /// As it is written, with its quotes.
        var source: String
        var value: String
    }

    /// `'…'` for every string constant; comments are dropped, and so is everything from where a string does not end.
    static func text(_ sql: String) -> String {
        pieces(sql).map { piece in
            switch piece {
            case .plain(let text): text
            case .literal: "'\(mark)'"
            case .comment: " "
            }
        }.joined()
    }

    /// The same with as many characters as before, so that positions in it stay what they are.
    static func masked(_ sql: String) -> String {
        pieces(sql).map { piece in
            switch piece {
            case .plain(let text): text
            case .literal(let text): dotted(text) { $0 == "\n" || $0 == "\r" }
            case .comment(let text): dotted(text) { $0.value <= 0x20 }
            }
        }.joined()
    }

    private static func dotted(_ text: String, besides isKept: (Unicode.Scalar) -> Bool) -> String {
        String(String.UnicodeScalarView(text.unicodeScalars.map { isKept($0) ? $0 : "…" }))
    }

    static func literals(_ sql: String) -> [Literal] {
        pieces(sql).compactMap { piece in
            guard case .literal(let source) = piece else { return nil }
            return Literal(source: source, value: value(source))
        }
    }

    /// An error's CONTEXT: which functions, and not the statements in them, which PostgreSQL quotes.
    static func context(_ text: String) -> String {
        let functions = ["PL/pgSQL function ", "SQL function "]
        let others = ["PL/pgSQL ", "SQL ", "COPY ", "JSON ", "while ", "parallel worker", "automatic "]
        return text.split(separator: "\n").compactMap { line -> String? in
            if functions.contains(where: line.hasPrefix) { return String(line) }
            // Neither: the further lines of a statement.
            guard others.contains(where: line.hasPrefix) else { return nil }
            guard let quote = line.firstIndex(of: "\"") else { return String(line) }
            return line[..<quote] + "\"\(mark)\""
        }.joined(separator: "\n")
    }

    private enum Piece {
        case plain(String)
        case literal(String)
        case comment(String)
    }

    private static func pieces(_ sql: String) -> [Piece] {
        let bytes = Array(sql.utf8)
        func text(_ range: Range<Int>) -> String { String(decoding: bytes[range], as: UTF8.self) }
        let (tokens, end) = tokens(sql, bytes)
        var pieces: [Piece] = []
        var position = 0
        func gap(to next: Int) {
            guard position < next else { return }
            let isBlank = bytes[position..<next].allSatisfy { $0 <= 0x20 }
            pieces.append(isBlank ? .plain(text(position..<next)) : .comment(text(position..<next)))
        }
        for token in tokens {
            gap(to: token.range.lowerBound)
            pieces.append(token.kind == .literal ? .literal(text(token.range)) : .plain(text(token.range)))
            position = token.range.upperBound
        }
        gap(to: end)
        // Whatever does not end is taken for a constant.
        if end < bytes.count { pieces.append(.literal(text(end..<bytes.count))) }
        return pieces
    }

    /// The tokens up to where something begins that does not end, and that place.
    private static func tokens(_ sql: String, _ bytes: [UInt8]) -> (tokens: [SQLToken], end: Int) {
        let standard: (tokens: [SQLToken], end: Int)
        do throws(SQLLexer.Unterminated) {
            standard = (try SQLLexer.tokens(of: sql), bytes.count)
        } catch {
            let before = String(decoding: bytes[..<error.offset], as: UTF8.self)
            standard = ((try? SQLLexer.tokens(of: before)) ?? [], error.offset)
        }
        // Where a backslash escapes (`standard_conforming_strings = off`), strings end elsewhere: what could be one is one.
        guard let first = standard.tokens.firstIndex(where: { $0.kind == .literal && hasEscapedQuote(bytes[$0.range]) })
        else { return standard }
        return (Array(standard.tokens[..<first]), standard.tokens[first].range.lowerBound)
    }

    /// `'…\'`, whose end is none everywhere.
    private static func hasEscapedQuote(_ literal: ArraySlice<UInt8>) -> Bool {
        literal.first == UInt8(ascii: "'") && literal.dropLast().last == UInt8(ascii: "\\")
    }

    private static func value(_ source: String) -> String {
        if source.hasPrefix("$"), let end = source.dropFirst().firstIndex(of: "$") {
            let tag = source[...end].count
            return String(source.dropFirst(tag).dropLast(tag))
        }
        guard let quote = source.firstIndex(of: "'") else { return source }
        var value = ""
        var isEscaped = false
        let escapes = source[..<quote].lowercased() == "e"
        var inner = source[source.index(after: quote)...]
        if inner.last == "'" { inner.removeLast() }
        var last: Character?
        for character in inner {
            if character == "'", last == "'" {
                last = nil
                continue
            }
            if escapes, character == "\\", !isEscaped {
                isEscaped = true
                continue
            }
            isEscaped = false
            value.append(character)
            last = character
        }
        return value
    }
}
