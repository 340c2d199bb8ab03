import PgConnection

/// A column of the new table that the verification leaves out, and why.
public struct UncomparedColumn: Codable, Sendable, Equatable, CustomStringConvertible {
    public var name: String
    public var reason: String

    public var description: String { "\(name) (\(reason))" }
}

/// Asks PostgreSQL which columns of a new table would get the same value if their rows were made again. While the change is planned.
struct DeterminismProbe {
    let source: QualifiedName
    let sourceOID: UInt32
    let green: QualifiedName
    let greenOID: UInt32
    let tracker: ChangeTracker

    /// In the order of the columns. Makes a view for each expression that is not simply a column, and drops it.
    func uncompared(on connection: isolated PgConnection) throws -> [UncomparedColumn] {
        let mapping = tracker.mapping(table: source.name)
        let defaults =
            tracker.added.contains { !$0.isGenerated } ? try ColumnDefault.read(greenOID, on: connection) : [:]
        return try tracker.current.compactMap { column in
            if column.isGenerated {
                return UncomparedColumn(name: column.name, reason: "generated: PostgreSQL computes it from the others")
            }
            if let mapped = mapping.columns.first(where: { $0.green == column.name }) {
                let old = tracker.original.first { $0.number == column.number }
                let isTakenOver =
                    tracker.usings[column.number] == nil && old.map { $0.hasSameType(as: column) } ?? false
                guard !isTakenOver,
                    let why = try unsteady("CAST(\(mapped.expression) AS \(column.type))", on: connection)
                else { return nil }
                return UncomparedColumn(name: column.name, reason: why)
            }
            if column.isIdentity { return UncomparedColumn(name: column.name, reason: "its values are numbered anew") }
            guard let value = defaults[column.name],
                let why = try unsteady("CAST(\(value) AS \(column.type))", on: connection)
            else { return nil }
            return UncomparedColumn(name: column.name, reason: "its default \(why)")
        }
    }

    private func unsteady(_ expression: String, on connection: isolated PgConnection) throws -> String? {
        let mapping = tracker.mapping(table: source.name)
        return try ExpressionProbe(
            table: source, alias: mapping.alias, names: mapping.sourceNames, schema: green.schema
        ).facts(expression, on: connection).whyUnsteady
    }
}

/// What a column without a value of its own gets.
enum ColumnDefault {
    /// The expressions by column name, of columns that have one; a domain's default counts.
    static func read(_ table: UInt32, on connection: isolated PgConnection) throws -> [String: String] {
        let rows = try connection.query(
            """
            SELECT a.attname, coalesce(pg_get_expr(d.adbin, d.adrelid), t.typdefault) AS value
            FROM pg_attribute a JOIN pg_type t ON t.oid = a.atttypid
            LEFT JOIN pg_attrdef d ON d.adrelid = a.attrelid AND d.adnum = a.attnum
            WHERE a.attrelid = $1 AND a.attnum > 0 AND NOT a.attisdropped AND a.attgenerated = ''
                AND (d.oid IS NOT NULL OR t.typtype = 'd' AND t.typdefault IS NOT NULL)
            """, [.int(table)]
        ).rows.map { (try $0.get("attname", as: String.self), try $0.get("value", as: String.self)) }
        return Dictionary(rows, uniquingKeysWith: { $1 })
    }
}
