/// One statement of a script, or the clauses of an ALTER TABLE: its text and its tokens.
struct SQLStatement: Sendable, Equatable {
    let text: String
    let tokens: [SQLToken]

    /// The statements between semicolons; empty ones are left out.
    static func split(_ script: String, standardStrings: Bool = true) throws(SQLLexer.Unterminated) -> [SQLStatement] {
        let tokens = try SQLLexer.tokens(of: script, standardStrings: standardStrings)
        let bytes = Array(script.utf8)
        var statements: [SQLStatement] = []
        for part in tokens.split(whereSeparator: { $0.isSymbol(";") }) {
            guard let first = part.first, let last = part.last else { continue }
            let start = first.range.lowerBound
            let text = String(decoding: bytes[start..<last.range.upperBound], as: UTF8.self)
            let shifted = part.map { token in
                SQLToken(kind: token.kind, range: token.range.lowerBound - start..<token.range.upperBound - start)
            }
            statements.append(SQLStatement(text: text, tokens: shifted))
        }
        return statements
    }

    /// The text from the first of these tokens to the last.
    func text(of tokens: ArraySlice<SQLToken>) -> String {
        guard let first = tokens.first, let last = tokens.last else { return "" }
        return String(decoding: Array(text.utf8)[first.range.lowerBound..<last.range.upperBound], as: UTF8.self)
    }

    /// The tokens from `start` on, cut at the commas outside all brackets.
    func clauses(from start: Int) -> [ArraySlice<SQLToken>] {
        var clauses: [ArraySlice<SQLToken>] = []
        var depth = 0
        var begin = start
        for index in tokens.indices.dropFirst(start) {
            switch tokens[index].kind {
            case .symbol("("), .symbol("["): depth += 1
            case .symbol(")"), .symbol("]"): depth -= 1
            case .symbol(",") where depth == 0:
                clauses.append(tokens[begin..<index])
                begin = index + 1
            default: break
            }
        }
        clauses.append(tokens[begin...])
        return clauses.filter { !$0.isEmpty }
    }
}
