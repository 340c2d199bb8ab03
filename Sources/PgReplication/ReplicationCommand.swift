import PgConnection

/// Statements of the replication protocol, which has its own grammar (src/backend/replication/repl_gram.y).
enum ReplicationCommand {
    static let identifySystem = "IDENTIFY_SYSTEM"

    /// Starts at 0/0: from where the slot was confirmed last.
    static func start(slot: String, publication: String) -> String {
        // publication_names is itself a list of identifiers (SplitIdentifierString), inside a literal.
        let options = [
            "proto_version \(literal("1"))",
            "publication_names \(literal(Quoting.identifier(publication)))",
            "messages \(literal("true"))",
        ]
        return "START_REPLICATION SLOT \(Quoting.identifier(slot)) LOGICAL 0/0 (\(options.joined(separator: ", ")))"
    }

    /// A literal of repl_scanner.l: a quote is doubled, and a backslash is only a backslash; there is no E'…'.
    static func literal(_ value: String) -> String {
        var quoted = String.UnicodeScalarView("'".unicodeScalars)
        for scalar in value.unicodeScalars {
            if scalar == "'" { quoted.append(scalar) }
            quoted.append(scalar)
        }
        quoted.append("'")
        return String(quoted)
    }
}
