/// An object that a statement of a script names, and by which the tables are found that the script is about. Pure.
enum NamedObject: Sendable, Equatable {
    /// A table, or something that belongs to one: an index, a sequence. The parts of the name as they are written.
    case relation([String])
    case statistics([String])

    var name: [String] {
        switch self {
        case .relation(let name), .statistics(let name): name
        }
    }
}

/// What a statement beside ALTER TABLE names.
struct NamedObjects: Sendable, Equatable {
    /// What has to be there already.
    var used: [NamedObject] = []
    /// What the statement makes.
    var made: NamedObject?

    /// nil for a statement that a script may not contain.
    init?(_ statement: SQLStatement) {
        var reader = TokenReader(tokens: statement.tokens[...])
        let verb = reader.word()
        switch (verb, reader.word()) {
        case ("create", "unique"):
            guard reader.word() == "index" else { return nil }
            index(&reader)
        case ("create", "index"):
            index(&reader)
        case ("create", "statistics"):
            reader.skip("if", "not", "exists")
            let name = reader.name()
            if !name.isEmpty { made = .statistics(name) }
            guard reader.skipTo("from") else { return nil }
            used = [.relation(reader.name())]
        case ("drop", "index"), ("alter", "index"):
            reader.skip("if", "exists")
            guard !reader.isAt("all") else { return nil }
            used = verb == "drop" ? reader.names().map { .relation($0) } : [.relation(reader.name())]
        case ("drop", "statistics"), ("alter", "statistics"):
            reader.skip("if", "exists")
            used = verb == "drop" ? reader.names().map { .statistics($0) } : [.statistics(reader.name())]
        case ("grant", _), ("revoke", _):
            guard reader.skipTo("on") else { return nil }
            let kinds = [
                "sequence", "all", "schema", "database", "function", "procedure", "routine", "type", "domain",
                "language", "tablespace", "foreign", "large", "parameter",
            ]
            guard !kinds.contains(where: { reader.isAt($0) }) else { return nil }
            reader.skip("table")
            used = reader.names().map { .relation($0) }
        case ("comment", "on"):
            guard let object = Self.commented(&reader) else { return nil }
            used = [object]
        default:
            return nil
        }
        guard used.allSatisfy({ !$0.name.isEmpty }) else { return nil }
    }

    private mutating func index(_ reader: inout TokenReader) {
        reader.skip("concurrently")
        reader.skip("if", "not", "exists")
        let name = reader.name()
        if !name.isEmpty { made = .relation(name) }
        _ = reader.skipTo("on")
        reader.skip("only")
        used = [.relation(reader.name())]
    }

    /// COMMENT ON anything but a part of a table would be said at once, of something that is not the migration's.
    private static func commented(_ reader: inout TokenReader) -> NamedObject? {
        switch reader.word() {
        case "table", "index", "sequence": return .relation(reader.name())
        case "column": return .relation(reader.name().dropLast())
        case "statistics": return .statistics(reader.name())
        case "constraint", "trigger", "rule", "policy":
            guard reader.skipTo("on"), !reader.isAt("domain") else { return nil }
            return .relation(reader.name())
        default: return nil
        }
    }
}
