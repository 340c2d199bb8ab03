import PgConnection

/// The key of the way back: old key column ← expression over the new table's key columns alone. Pure.
///
/// A key of the new table that the old one cannot have must not come out as another row's: 'abcdefghijk' as `varchar(10)` is not the row
/// 'abcdefghij', 1.5 is not the integer 2, and the integer 3,000,000,000 is no error but nobody. So an expression is NULL, which finds no row,
/// unless the way there leads from its value back to where it came from.
struct InverseKey {
    /// The way there, the old column, and the expression that `InverseMapping` has for it.
    let parts: [(forward: KeyColumn, column: ColumnFacts, expression: String)]
    /// The name by which the forward expressions may qualify columns.
    let alias: String

    var columns: [KeyColumn] {
        parts.map { part in
            KeyColumn(
                source: part.forward.green, mapped: part.forward.green, sourceType: part.forward.greenType,
                green: part.column.name, greenType: part.column.type, greenCollation: part.column.collation,
                expression: guarded(part))
        }
    }

    private typealias Part = (forward: KeyColumn, column: ColumnFacts, expression: String)

    private func isPlain(_ part: Part) -> Bool {
        part.expression == Quoting.identifier(part.forward.green)
            && part.forward.expression == Quoting.identifier(part.forward.mapped)
    }

    private func guarded(_ part: Part) -> String {
        let expression = inRange(part)
        if isPlain(part) {
            let (new, old) = (part.forward.greenType, part.column.type)
            if new == old || IntegerType.areBoth(new, old) { return expression }
        }
        return """
            CASE WHEN (SELECT \(part.forward.castExpression) FROM (SELECT \(old)) AS \(Quoting.identifier(alias))) \
            = \(Quoting.identifier(part.forward.green)) THEN \(expression) END
            """
    }

    /// All old key columns, under the names that the forward expressions know.
    private var old: String {
        parts.map { part in
            "CAST(\(inRange(part)) AS \(part.column.type)) AS \(Quoting.identifier(part.forward.mapped))"
        }.joined(separator: ", ")
    }

    /// A cast to an integer type fails for what is beyond it.
    private func inRange(_ part: Part) -> String {
        let new = part.forward.greenType
        guard isPlain(part), let old = IntegerType(rawValue: part.column.type),
            IntegerType(rawValue: new).map({ $0 > old }) ?? new.hasPrefix("numeric")
        else { return part.expression }
        let (low, high) = (old.bounds.lowerBound, old.bounds.upperBound)
        return "CASE WHEN \(part.expression) BETWEEN \(low) AND \(high) THEN \(part.expression) END"
    }
}
