import PgConnection

/// Statements that must not even be tried, because they would reach beyond the clone, or because what they make is not carried over yet.
enum Unsupported {
    /// The beginnings of ALTER TABLE's clauses that are refused, with the reason.
    private static let clauses: [(words: [String], why: String)] = [
        (["rename", "to"], "the new table takes the old one's place under its name; rename it before or afterwards"),
        (["set", "schema"], "the new table takes the old one's place in its schema; move it before or afterwards"),
        (["set", "unlogged"], "an unlogged table has no change stream"),
        (["set", "logged"], "an unlogged table has no change stream, and a logged one is logged already"),
        (["inherit"], "this version does not carry inheritance over"),
        (["no", "inherit"], "this version does not carry inheritance over"),
        (["attach"], "this version does not carry partitions over"),
        (["detach"], "this version does not carry partitions over"),
        (["of"], "this version does not carry typed tables over"),
        (["not", "of"], "this version does not carry typed tables over"),
        (["enable", "trigger"], triggers), (["enable", "replica"], triggers), (["enable", "always"], triggers),
        (["disable", "trigger"], triggers), (["enable", "rule"], triggers), (["disable", "rule"], triggers),
        (["add", "foreign"], foreignKey),
    ]

    private static let triggers =
        "the new table gets its triggers and rules, in the state in which the old one has them, only when it takes the old one's place"
    private static let foreignKey =
        "a foreign key of a table that is still being built would stop, or hold up, the application's writes to the other table"

    static func check(_ alter: AlterTable, object: String) throws {
        for head in alter.heads {
            if let match = clauses.first(where: { head.starts(with: $0.words) }) {
                throw Refused.change(
                    object, "the clause \(match.words.joined(separator: " ").uppercased()) …", match.why,
                    "leave the clause out, and execute it on its own")
            }
        }
        if alter.mentionsReferences {
            throw Refused.change(
                object, "it adds a foreign key", foreignKey,
                "add it afterwards: ADD … NOT VALID, then VALIDATE CONSTRAINT")
        }
    }

    /// What a statement of a script beside ALTER TABLE names.
    static func check(other statement: SQLStatement) throws -> NamedObjects {
        guard let named = NamedObjects(statement) else {
            throw Refused.change(
                "--script", "the statement \(statement.text.prefix(60)) …",
                "this version takes ALTER TABLE, and CREATE, DROP and ALTER INDEX or STATISTICS and COMMENT ON for tables and their parts",
                "leave it out, and execute it on its own")
        }
        let words = statement.tokens.prefix(2).map { $0.identifier ?? "" }
        if words.first == "create", words.last != "statistics",
            statement.tokens.contains(where: { $0.isWord("concurrently") })
        {
            throw Refused.change(
                "--script", "CREATE INDEX CONCURRENTLY", "nobody uses the new table while its indexes are built",
                "leave CONCURRENTLY out")
        }
        return named
    }
}
