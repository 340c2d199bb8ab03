/// The name that PostgreSQL gives a statement, by which event triggers choose: `CREATE INDEX`. Pure.
///
/// Only of statements for which event triggers fire, as far as this tool, or what it lets users say, contains them
/// (src/include/tcop/cmdtaglist.h).
enum CommandTag {
    /// Words between the verb and the kind of object, which are not in the tag.
    private static let modifiers: Set<String> = [
        "or", "replace", "unique", "temp", "temporary", "unlogged", "recursive", "constraint",
    ]

    /// nil for a statement that no event trigger hears of.
    static func of(_ statement: SQLStatement) -> String? {
        var words: ArraySlice<String> = []
        for token in statement.tokens.prefix(8) {
            guard case .word(let word) = token.kind else { break }
            words.append(word)
        }
        guard let verb = words.popFirst() else { return nil }
        switch verb {
        case "comment", "grant", "revoke": return verb.uppercased()
        case "refresh": return "REFRESH MATERIALIZED VIEW"
        case "security": return "SECURITY LABEL"
        case "create", "alter", "drop":
            if verb == "create" { words = words.drop { modifiers.contains($0) } }
            guard let kind = words.first else { return nil }
            switch kind {
            case "materialized", "event", "foreign":
                return ([verb, kind] + words.dropFirst().prefix(1)).joined(separator: " ").uppercased()
            case "table" where verb == "create" && isMadeByAQuery(statement): return "CREATE TABLE AS"
            default: return "\(verb) \(kind)".uppercased()
            }
        default: return nil
        }
    }

    /// `CREATE TABLE … AS`, and not the AS of a generated column.
    private static func isMadeByAQuery(_ statement: SQLStatement) -> Bool {
        var depth = 0
        for token in statement.tokens {
            if token.isSymbol("(") { depth += 1 }
            if token.isSymbol(")") { depth -= 1 }
            if depth == 0, token.isWord("as") { return true }
        }
        return false
    }
}
