/// A word, a quoted name, a literal or a single character of a statement. Positions are UTF-8 offsets into the text.
struct SQLToken: Sendable, Equatable {
    enum Kind: Sendable, Equatable {
        /// An unquoted identifier or keyword, folded to lower case as PostgreSQL folds it.
        case word(String)
        /// A quoted identifier's value.
        case quoted(String)
        /// A string, bit string or dollar-quoted constant.
        case literal
        case number
        case symbol(Character)
    }

    var kind: Kind
    var range: Range<Int>

    func isWord(_ word: String) -> Bool { kind == .word(word) }
    func isSymbol(_ symbol: Character) -> Bool { kind == .symbol(symbol) }

    /// The identifier that this token is, in the form that the catalogs have it; nil when it is none.
    var identifier: String? {
        switch kind {
        case .word(let name), .quoted(let name): name
        case .literal, .number, .symbol: nil
        }
    }
}
