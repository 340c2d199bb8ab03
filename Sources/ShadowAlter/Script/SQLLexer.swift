/// Cuts a statement into tokens by PostgreSQL's lexical rules (documentation, "Lexical Structure"), which have not changed for many
/// versions. It knows nothing of grammar.
struct SQLLexer {
    /// What the text ends in the middle of, and where that begins.
    struct Unterminated: Error, Equatable {
        var what: String
        var offset: Int
    }

    private let bytes: [UInt8]
    private let standardStrings: Bool
    private var position = 0

    /// - Parameter standardStrings: the session's `standard_conforming_strings`; off makes every backslash an escape.
    init(_ text: String, standardStrings: Bool = true) {
        bytes = Array(text.utf8)
        self.standardStrings = standardStrings
    }

    static func tokens(of text: String, standardStrings: Bool = true) throws(Unterminated) -> [SQLToken] {
        var lexer = SQLLexer(text, standardStrings: standardStrings)
        var tokens: [SQLToken] = []
        while let token = try lexer.next() { tokens.append(token) }
        return tokens
    }

    private func byte(_ offset: Int = 0) -> UInt8? {
        let index = position + offset
        return index < bytes.count ? bytes[index] : nil
    }

    private mutating func next() throws(Unterminated) -> SQLToken? {
        try skipBlank()
        guard let first = byte() else { return nil }
        let start = position
        let kind: SQLToken.Kind
        switch first {
        case UInt8(ascii: "'"):
            try skipString(escapes: !standardStrings)
            kind = .literal
        case UInt8(ascii: "\""):
            kind = .quoted(try quotedName())
        case UInt8(ascii: "$"):
            if let tag = dollarTag() {
                try skipDollarQuoted(tag)
                kind = .literal
            } else {
                position += 1
                kind = .symbol("$")
            }
        case let digit where digit.isDigit:
            while let next = byte(), next.isIdentifierPart || next == UInt8(ascii: ".") { position += 1 }
            kind = .number
        case let letter where letter.isIdentifierStart:
            kind = try wordOrPrefixedString()
        default:
            position += 1
            kind = .symbol(Character(Unicode.Scalar(first)))
        }
        return SQLToken(kind: kind, range: start..<position)
    }

    private mutating func skipBlank() throws(Unterminated) {
        while let current = byte() {
            if current.isBlank {
                position += 1
            } else if current == UInt8(ascii: "-"), byte(1) == UInt8(ascii: "-") {
                while let next = byte(), next != UInt8(ascii: "\n") { position += 1 }
            } else if current == UInt8(ascii: "/"), byte(1) == UInt8(ascii: "*") {
                try skipBlockComment()
            } else {
                return
            }
        }
    }

    private mutating func skipBlockComment() throws(Unterminated) {
        let start = position
        var depth = 0
        repeat {
            switch (byte(), byte(1)) {
            case (UInt8(ascii: "/"), UInt8(ascii: "*")):
                depth += 1
                position += 2
            case (UInt8(ascii: "*"), UInt8(ascii: "/")):
                depth -= 1
                position += 2
            case (nil, _): throw Unterminated(what: "a comment", offset: start)
            default: position += 1
            }
        } while depth > 0
    }

    private mutating func skipString(escapes: Bool) throws(Unterminated) {
        let start = position
        position += 1
        while let current = byte() {
            position += 1
            if current == UInt8(ascii: "\\"), escapes {
                position += 1
            } else if current == UInt8(ascii: "'") {
                guard byte() == UInt8(ascii: "'") else { return }
                position += 1
            }
        }
        throw Unterminated(what: "a string", offset: start)
    }

    private mutating func quotedName() throws(Unterminated) -> String {
        let start = position
        position += 1
        var name: [UInt8] = []
        while let current = byte() {
            position += 1
            if current == UInt8(ascii: "\"") {
                guard byte() == UInt8(ascii: "\"") else { return String(decoding: name, as: UTF8.self) }
                position += 1
            }
            name.append(current)
        }
        throw Unterminated(what: "a quoted name", offset: start)
    }

    private mutating func wordOrPrefixedString() throws(Unterminated) -> SQLToken.Kind {
        // E'…', B'…', X'…', N'…' and U&'…', U&"…": the prefix touches the quote.
        if let prefix = byte(), byte(1) == UInt8(ascii: "'"), "eEbBxXnN".utf8.contains(prefix) {
            position += 1
            try skipString(escapes: prefix | 0x20 == UInt8(ascii: "e") || !standardStrings)
            return .literal
        }
        if let prefix = byte(), prefix | 0x20 == UInt8(ascii: "u"), byte(1) == UInt8(ascii: "&") {
            if byte(2) == UInt8(ascii: "'") {
                position += 2
                try skipString(escapes: false)
                return .literal
            }
            if byte(2) == UInt8(ascii: "\"") {
                position += 2
                return .quoted(try quotedName())
            }
        }
        let start = position
        while let next = byte(), next.isIdentifierPart { position += 1 }
        return .word(String(decoding: bytes[start..<position].map(\.foldedToLowerCase), as: UTF8.self))
    }

    /// `$$` or `$tag$` at the position, as its bytes; nil when this is a parameter or something else.
    private func dollarTag() -> [UInt8]? {
        var end = position + 1
        while end < bytes.count, bytes[end] != UInt8(ascii: "$") {
            let isFirst = end == position + 1
            guard isFirst ? bytes[end].isIdentifierStart : bytes[end].isIdentifierPart else { return nil }
            end += 1
        }
        return end < bytes.count ? Array(bytes[position...end]) : nil
    }

    private mutating func skipDollarQuoted(_ tag: [UInt8]) throws(Unterminated) {
        let start = position
        position += tag.count
        while position + tag.count <= bytes.count {
            if bytes[position..<position + tag.count].elementsEqual(tag) {
                position += tag.count
                return
            }
            position += 1
        }
        throw Unterminated(what: "a dollar-quoted string", offset: start)
    }
}

extension UInt8 {
    fileprivate var isDigit: Bool { (UInt8(ascii: "0")...UInt8(ascii: "9")).contains(self) }
    fileprivate var isBlank: Bool { self == 0x20 || (0x09...0x0D).contains(self) }
    fileprivate var isIdentifierStart: Bool {
        (UInt8(ascii: "a")...UInt8(ascii: "z")).contains(self | 0x20) || self == UInt8(ascii: "_") || self >= 0x80
    }
    fileprivate var isIdentifierPart: Bool { isIdentifierStart || isDigit || self == UInt8(ascii: "$") }
    /// ASCII only, as PostgreSQL folds names in a multi-byte encoding.
    fileprivate var foldedToLowerCase: UInt8 {
        (UInt8(ascii: "A")...UInt8(ascii: "Z")).contains(self) ? self | 0x20 : self
    }
}
