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
        (["enable"], "this version carries neither triggers, rules nor row-level security over"),
        (["disable"], "this version carries neither triggers, rules nor row-level security over"),
        (["force", "row"], "this version does not carry row-level security over"),
        (["no", "force"], "this version does not carry row-level security over"),
        (["add", "foreign"], "this version does not carry foreign keys over"),
    ]

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
                object, "it adds a foreign key", "this version does not carry foreign keys over",
                "add it afterwards: ADD … NOT VALID, then VALIDATE CONSTRAINT")
        }
    }

    /// What a script may contain beside ALTER TABLE.
    private static let allowed = [
        ["create", "index"], ["create", "unique", "index"], ["drop", "index"], ["alter", "index"], ["comment", "on"],
        ["create", "statistics"], ["drop", "statistics"], ["alter", "statistics"],
    ]

    static func check(other statement: SQLStatement, schema: String) throws {
        let words = statement.tokens.prefix(3).map { $0.identifier ?? "" }
        guard allowed.contains(where: { words.starts(with: $0) }) else {
            throw Refused.change(
                "--script", "the statement \(statement.text.prefix(60)) …",
                "this version takes ALTER TABLE, and CREATE, DROP and ALTER INDEX or STATISTICS and COMMENT ON for the same table",
                "leave it out, and execute it on its own")
        }
        if words.starts(with: ["create", "index"]) || words.starts(with: ["create", "unique"]),
            statement.tokens.contains(where: { $0.isWord("concurrently") })
        {
            throw Refused.change(
                "--script", "CREATE INDEX CONCURRENTLY", "nobody uses the new table while its indexes are built",
                "leave CONCURRENTLY out")
        }
        let qualified = zip(statement.tokens, statement.tokens.dropFirst()).contains { name, dot in
            name.identifier == schema && dot.isSymbol(".")
        }
        if qualified {
            throw Refused.change(
                "--script", "the statement \(statement.text.prefix(60)) … names the schema \(schema)",
                "the script is tried on a copy of the table in another schema; with the schema it would reach the live one",
                "leave the schema out")
        }
    }
}
