/// What the planner needs to know of an `ALTER TABLE` beyond what the catalogs tell after it: the table's name and the USING expressions.
struct AlterTable: Sendable, Equatable {
    /// The parts of the name as they are written, one or two; empty where the statement is clauses alone.
    var name: [String]
    var usings: [Using]
    /// The first words of each clause, in lower case, for what must not be executed at all.
    var heads: [[String]]
    /// REFERENCES is a reserved word: wherever it stands unquoted, a foreign key is meant.
    var mentionsReferences: Bool

    struct Using: Sendable, Equatable {
        var column: String
        var expression: String
    }

    /// `ALTER TABLE [IF EXISTS] [ONLY] name [*] …`; nil for another statement.
    init?(statement: SQLStatement) {
        let tokens = statement.tokens
        guard tokens.count > 2, tokens[0].isWord("alter"), tokens[1].isWord("table") else { return nil }
        var index = 2
        if tokens.count > index + 1, tokens[index].isWord("if"), tokens[index + 1].isWord("exists") { index += 2 }
        if tokens.count > index, tokens[index].isWord("only") { index += 1 }
        var name: [String] = []
        while index < tokens.count, let part = tokens[index].identifier {
            name.append(part)
            index += 1
            guard index < tokens.count, tokens[index].isSymbol(".") else { break }
            index += 1
        }
        if index < tokens.count, tokens[index].isSymbol("*") { index += 1 }
        self.init(name: name, statement: statement, from: index)
    }

    /// The clauses of `--alter`.
    init(clauses: SQLStatement) {
        self.init(name: [], statement: clauses, from: 0)
    }

    private init(name: [String], statement: SQLStatement, from start: Int) {
        self.name = name
        let clauses = statement.clauses(from: start)
        usings = clauses.compactMap { Self.using(in: $0, of: statement) }
        mentionsReferences = statement.tokens.dropFirst(start).contains { $0.isWord("references") }
        heads = clauses.map { clause in
            clause.prefix(3).map { token in
                if case .word(let word) = token.kind { word } else { "" }
            }
        }
    }

    /// `ALTER [COLUMN] name [SET DATA] TYPE … USING expression`.
    private static func using(in clause: ArraySlice<SQLToken>, of statement: SQLStatement) -> Using? {
        var rest = clause
        guard rest.popFirst()?.isWord("alter") == true else { return nil }
        // COLUMN may be left out; it is a reserved word, so that no column is named by it without quotes.
        if rest.first?.isWord("column") == true { rest.removeFirst() }
        guard let column = rest.popFirst()?.identifier else { return nil }
        if rest.first?.isWord("set") == true, rest.dropFirst().first?.isWord("data") == true { rest.removeFirst(2) }
        guard rest.popFirst()?.isWord("type") == true else { return nil }
        var depth = 0
        for index in rest.indices {
            switch rest[index].kind {
            case .symbol("("), .symbol("["): depth += 1
            case .symbol(")"), .symbol("]"): depth -= 1
            case .word("using") where depth == 0:
                return Using(column: column, expression: statement.text(of: rest[(index + 1)...]))
            default: break
            }
        }
        return nil
    }
}
