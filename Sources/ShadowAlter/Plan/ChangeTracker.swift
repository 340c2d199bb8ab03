import PgConnection

/// Follows the clone's columns through the statements of a change and derives the mapping. Pure: it is told the facts.
///
/// Columns keep their `attnum`, so that renames, type changes, drops and additions are facts. Only USING expressions have to be read from the text.
struct ChangeTracker {
    /// The clone before any statement: column n is the source's n-th.
    let original: [ColumnFacts]
    private(set) var current: [ColumnFacts]
    /// USING expressions by `attnum`.
    private(set) var usings: [Int: String] = [:]
    /// The names that the columns had when the USING expressions were written, by `attnum`.
    private var names: [Int: String]?
    /// Columns whose type an earlier statement has changed.
    private var retyped: Set<Int> = []

    init(original: [ColumnFacts]) {
        self.original = original
        current = original
    }

    /// For a table in whose place another one was made: its columns are the old one's of the same name.
    init(original: [ColumnFacts], replacement: [ColumnFacts]) {
        self.original = original
        current = replacement.enumerated().map { position, column in
            var column = column
            column.number =
                original.first { $0.name == column.name }?.number ?? Self.firstNewNumber + position
            return column
        }
    }

    /// Beyond all that a table can have.
    private static let firstNewNumber = 10_000

    /// Takes in one statement that has been executed.
    mutating func apply(_ alter: AlterTable?, after: [ColumnFacts]) throws {
        let before = current
        current = after
        if let alter, !alter.usings.isEmpty {
            guard retyped.isEmpty else {
                throw Refused.change(
                    "--script", "a USING expression stands in a statement after another one that changed a type",
                    "it would be evaluated over the old row, not over the one that the statement before has made",
                    "put all changes of types into one ALTER TABLE statement")
            }
            names = Dictionary(uniqueKeysWithValues: before.map { ($0.number, $0.name) })
            for using in alter.usings {
                guard let column = before.first(where: { $0.name == using.column }) else { continue }
                usings[column.number] = using.expression
            }
        }
        for column in after {
            guard let old = before.first(where: { $0.number == column.number }), !old.hasSameType(as: column) else {
                continue
            }
            guard retyped.insert(column.number).inserted else {
                throw Refused.change(
                    column.name, "its type is changed by two statements",
                    "the copy goes from the old row to the final one in one step",
                    "change it once")
            }
        }
    }

    /// - Parameter table: the table's name, by which expressions may qualify columns.
    func mapping(table: String) -> RowMapping {
        RowMapping(
            alias: table,
            sourceNames: original.map { name(of: $0) },
            columns: current.compactMap { column in
                guard !column.isGenerated, let source = original.first(where: { $0.number == column.number }) else {
                    return nil
                }
                return RowMapping.Column(green: column.name, expression: expression(for: source))
            })
    }

    /// The green value of a source column, over the mapping's names.
    func expression(for source: ColumnFacts) -> String {
        usings[source.number].map { "(\($0))" } ?? Quoting.identifier(name(of: source))
    }

    /// The name under which expressions know a source column. One that was dropped before cannot be mentioned.
    func name(of source: ColumnFacts) -> String {
        guard let names else { return source.name }
        return names[source.number] ?? "shadow_alter_dropped_\(source.number)"
    }

    func current(for source: ColumnFacts) -> ColumnFacts? {
        current.first { $0.number == source.number }
    }

    /// What becomes of the source's columns.
    var columns: [ColumnPlan] {
        original.map { column in
            let now = current(for: column)
            return ColumnPlan(
                number: column.number, name: column.name, greenName: now?.name,
                hasNewType: now.map { !$0.hasSameType(as: column) } ?? false, type: column.type, greenType: now?.type)
        }
    }

    var added: [ColumnFacts] {
        current.filter { column in !original.contains { $0.number == column.number } }
    }
}
