/// Goes through a statement's tokens.
struct TokenReader {
    var tokens: ArraySlice<SQLToken>

    /// The next token, if it is an unquoted word.
    mutating func word() -> String? {
        guard case .word(let word)? = tokens.first?.kind else { return nil }
        tokens.removeFirst()
        return word
    }

    func isAt(_ word: String) -> Bool { tokens.first?.isWord(word) == true }

    /// Goes past these words, if all of them come next.
    mutating func skip(_ words: String...) {
        guard zip(tokens, words).allSatisfy({ $0.isWord($1) }), tokens.count >= words.count else { return }
        tokens.removeFirst(words.count)
    }

    /// Goes past the next such word that stands outside of all brackets; false when there is none.
    mutating func skipTo(_ word: String) -> Bool {
        var depth = 0
        while let token = tokens.popFirst() {
            if token.isSymbol("(") || token.isSymbol("[") { depth += 1 }
            if token.isSymbol(")") || token.isSymbol("]") { depth -= 1 }
            if depth == 0, token.isWord(word) { return true }
        }
        return false
    }

    /// A name with the dots in it; empty when none comes next. ON and IF are no names unless quoted: before them one was left out.
    mutating func name() -> [String] {
        guard !isAt("on"), !isAt("from") else { return [] }
        var parts: [String] = []
        while let part = tokens.first?.identifier {
            parts.append(part)
            tokens.removeFirst()
            guard tokens.first?.isSymbol(".") == true else { break }
            tokens.removeFirst()
        }
        return parts
    }

    /// Names between commas.
    mutating func names() -> [[String]] {
        var names = [name()]
        while tokens.first?.isSymbol(",") == true {
            tokens.removeFirst()
            names.append(name())
        }
        return names
    }
}
