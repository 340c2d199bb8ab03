import PgConnection

/// What the user says of the way back: the value of a column of the old table, over the new table's columns.
public struct ReverseExpression: Codable, Sendable, Hashable {
    /// As in SQL, quoted where needed: `COLUMN`, or `TABLE.COLUMN` where there are several tables.
    public var column: String
    public var expression: String

    public init(column: String, expression: String) {
        self.column = column
        self.expression = expression
    }

    /// Reads `COLUMN=EXPRESSION`; nil where there is no `=` outside of quotes, or nothing beside it.
    public init?(text: String) {
        var isQuoted = false
        var position: String.Index?
        for index in text.unicodeScalars.indices {
            switch text.unicodeScalars[index] {
            case "\"": isQuoted.toggle()
            case "=" where !isQuoted: position = index
            default: continue
            }
            if position != nil { break }
        }
        guard let position else { return nil }
        column = Self.trimmed(text[..<position])
        expression = Self.trimmed(text[text.unicodeScalars.index(after: position)...])
        guard !column.isEmpty, !expression.isEmpty else { return nil }
    }

    private static func trimmed(_ text: Substring) -> String {
        var text = text.drop { $0.isWhitespace }
        while text.last?.isWhitespace == true { text.removeLast() }
        return String(text)
    }

    /// As `--reverse` takes it.
    public var text: String { "\(column)=\(expression)" }
}

extension KeyedDecodingContainer {
    /// A request that was recorded before there was `--reverse` has none.
    func decode(_ type: [ReverseExpression].Type, forKey key: Key) throws -> [ReverseExpression] {
        try decodeIfPresent(type, forKey: key) ?? []
    }
}

/// What `--reverse` says, by tables and their old columns.
struct ReverseExpressions: Sendable {
    private var expressions: [UInt32: [String: String]] = [:]

    /// PostgreSQL reads the names, and finds the tables.
    static func read(
        _ given: [ReverseExpression], for tables: [PlannedTable], on connection: isolated PgConnection
    ) throws -> Self {
        var result = Self()
        for reverse in given {
            let (table, column) = try find(reverse, among: tables, on: connection)
            guard result.expressions[table.sourceOID]?[column] == nil else {
                throw Refused.reverse(
                    "\(table.source).\(column)", "--reverse gives it two values", "one of them would be forgotten",
                    "leave one out")
            }
            result.expressions[table.sourceOID, default: [:]][column] = reverse.expression
        }
        return result
    }

    private static func find(
        _ reverse: ReverseExpression, among tables: [PlannedTable], on connection: isolated PgConnection
    ) throws -> (PlannedTable, column: String) {
        let names: [String]
        do {
            names = try connection.undone { connection in
                try connection.query("SELECT parse_ident($1)", [.text(reverse.column)]).single().value()
            }
        } catch let error as PgError where !error.isConnectionLoss {
            throw Refused.reverse(
                "--reverse", "\(reverse.column) is no name of a column", "PostgreSQL says: \(error.message)",
                "--reverse 'COLUMN=EXPRESSION' or 'TABLE.COLUMN=EXPRESSION', with names as in SQL")
        }
        let list = tables.map(\.source.description).joined(separator: ", ")
        guard let column = names.last, names.count > 1 || tables.count == 1 else {
            throw Refused.reverse(
                "--reverse", "\(reverse.column) does not say which table's column it is",
                "the change is about several (\(list))", "--reverse 'TABLE.COLUMN=EXPRESSION'")
        }
        guard names.count > 1 else { return (tables[0], column) }
        let name = names.dropLast().map { Quoting.identifier($0) }.joined(separator: ".")
        let found = try PlannedTable.find(name, on: connection)
        guard let table = tables.first(where: { $0.sourceOID == found?.sourceOID }) else {
            throw Refused.reverse(
                "--reverse", "\(reverse.column) is no column of a table that is changed", "the change is about \(list)",
                "name one of these, or leave it out")
        }
        return (table, column)
    }

    /// What is said of a table, or of the partitioned table above it.
    func of(_ table: PlannedTable) -> [String: String] {
        table.lineage.reduce(into: [:]) { $0.merge(expressions[$1] ?? [:]) { $1 } }
    }
}
