/// `DROP TABLE` or `CREATE TABLE` in a script, which together put another table into an old one's place. Pure.
enum TableStatement: Sendable, Equatable {
    /// The names, each as its parts are written.
    case drop([[String]])
    /// - Parameter parent: whose partition it is.
    case create([String], parent: [String]?)
    /// A form that cannot be meant, and why not.
    case unsupported(String, why: String)

    /// nil for another statement.
    init?(_ statement: SQLStatement) {
        var reader = TokenReader(tokens: statement.tokens[...])
        switch (reader.word(), reader.word()) {
        case ("drop", "table"):
            reader.skip("if", "exists")
            self = .drop(reader.names())
            if statement.tokens.last?.isWord("cascade") == true {
                self = .unsupported(
                    "DROP TABLE … CASCADE", why: "what hangs on the old table moves to the new one, or is refused")
            }
        case ("create", "table"):
            reader.skip("if", "not", "exists")
            self = Self.created(reader, statement)
        case ("create", "temporary"), ("create", "temp"), ("create", "unlogged"), ("create", "local"),
            ("create", "global"):
            self = .unsupported("a temporary or unlogged table", why: "only a permanent table can take a table's place")
        default:
            return nil
        }
    }

    private static func created(_ start: TokenReader, _ statement: SQLStatement) -> Self {
        var reader = start
        let name = reader.name()
        if statement.tokens.contains(where: { $0.isWord("references") }) {
            return .unsupported(
                "CREATE TABLE … REFERENCES",
                why:
                    "a foreign key on the new table would stop the application's writes before the cut-over; the old table's are carried over"
            )
        }
        for (word, why) in [
            ("as", "the rows come from the old table"), ("inherits", "inheritance is not carried over"),
        ] {
            var rest = reader
            if rest.skipTo(word) { return .unsupported("CREATE TABLE … \(word.uppercased())", why: why) }
        }
        guard reader.isAt("partition") else { return .create(name, parent: nil) }
        reader.skip("partition", "of")
        return .create(name, parent: reader.name())
    }
}
