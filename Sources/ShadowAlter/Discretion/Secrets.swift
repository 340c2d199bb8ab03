import PgConnection

/// What a migration's change holds in string constants, and must not be repeated in a log or in an error: `USING pgp_sym_decrypt(x, 'secret')`.
struct Secrets: Sendable {
    /// What is replaced, and by what; the longest first.
    private let replacements: [(text: String, by: String)]

    init(_ request: MigrationRequest) {
        let name = request.name.map { [$0] } ?? []
        let reverse = request.reverse.map { "\n\($0.expression)" }.joined()
        let names = name + request.reverse.map(\.column)
        switch request.change {
        case .alter(let table, let clauses): self.init(sql: clauses + reverse, besides: [table] + names)
        case .script(let text): self.init(sql: text + reverse, besides: names)
        }
    }

    /// Of the queries that throttle.
    init(queriesOf options: MigrationOptions) {
        let queries =
            [options.throttleQuery].compactMap(\.self) + (options.maximumLoad + options.criticalLoad).map(\.description)
        self.init(sql: queries.joined(separator: "\n"), besides: [])
    }

    /// - Parameter besides: names, which are no secrets.
    init(sql: String, besides: [String]) {
        let words = Set(Self.words(SQLRedaction.text(sql)) + besides.flatMap(Self.words))
        let mark = SQLRedaction.mark
        var all: [(text: String, by: String)] = []
        for literal in SQLRedaction.literals(sql) where !literal.value.isEmpty {
            all.append((literal.source, "'\(mark)'"))
            // As PostgreSQL's messages quote it.
            all.append(("\"\(literal.value)\"", "\"\(mark)\""))
            all.append(("'\(literal.value)'", "'\(mark)'"))
            // What is short, or a name besides, would be found everywhere.
            if Self.isUnusual(literal.value), !words.contains(literal.value) { all.append((literal.value, mark)) }
        }
        replacements = all.sorted { $0.text.utf8.count > $1.text.utf8.count }
    }

    private static func isUnusual(_ value: String) -> Bool {
        value.count >= 8 || (value.count >= 4 && value.contains { !$0.isLetter })
    }

    private static func words(_ text: String) -> [String] {
        text.split { !($0.isLetter || $0.isNumber || $0 == "_" || $0 == "$") }.map(String.init)
    }

    func hidden(in text: String) -> String {
        replacements.reduce(text) { $0.contains($1.text) ? $0.replacing($1.text, with: $1.by) : $0 }
    }

    /// The same error without what is secret.
    func hidden(in error: any Error) -> any Error {
        switch error {
        case var error as PgError:
            error.message = hidden(in: error.message)
            error.detail = error.detail.map { hidden(in: $0) }
            error.hint = error.hint.map { hidden(in: $0) }
            error.context = error.context.map { hidden(in: SQLRedaction.context($0)) }
            error.statement = error.statement.map(SQLRedaction.masked)
            return error
        case var error as MigrationError:
            error.message = hidden(in: error.message)
            error.state = hidden(in: error.state)
            error.advice = hidden(in: error.advice)
            return error
        case let error as Refused:
            return Refused(
                error.refusals.map { refusal in
                    Refusal(
                        code: refusal.code, object: hidden(in: refusal.object), what: hidden(in: refusal.what),
                        why: hidden(in: refusal.why), fix: hidden(in: refusal.fix))
                })
        default: return error
        }
    }
}
