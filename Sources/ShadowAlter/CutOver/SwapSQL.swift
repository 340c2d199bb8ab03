import PgConnection

/// The statements that exchange the tables, in order. Pure. All are catalog changes, a few milliseconds together.
enum SwapSQL {
    /// A pair of schema-level objects of the two tables that `SET SCHEMA` of the table does not take along.
    struct Statistics: Sendable, Equatable {
        /// Of the source, to be moved to blue.
        var source: [QualifiedName]
        /// Of green, to be moved to the source's schema.
        var green: [QualifiedName]
    }

    /// All old tables leave before the first new one comes: a name may have gone from one table to another.
    ///
    /// - Parameter statistics: in the order of the tables.
    static func statements(for tables: [Exchange], blueSchema: String, statistics: [Statistics]) -> [String] {
        let pairs = Array(zip(tables, statistics))
        var statements = tables.flatMap { disown($0) } + tables.flatMap { takeOverPositions($0) }
        for (table, statistics) in pairs { statements += move(table.source, statistics.source, to: blueSchema) }
        for (table, statistics) in pairs { statements += move(table.green, statistics.green, to: table.source.schema) }
        for table in tables {
            statements += own(table)
        }
        return statements
    }

    static func move(_ table: QualifiedName, _ statistics: [QualifiedName], to schema: String) -> [String] {
        let schema = Quoting.identifier(schema)
        return ["ALTER TABLE \(table.sql) SET SCHEMA \(schema)"]
            + statistics.map { "ALTER STATISTICS \($0.sql) SET SCHEMA \(schema)" }
    }

    /// SET SCHEMA takes owned sequences along, so that one which is to stay must be nobody's for a moment.
    private static func disown(_ table: Exchange) -> [String] {
        table.sequences.compactMap { sequence in
            guard case .serial(let name, .some) = sequence else { return nil }
            return "ALTER SEQUENCE \(name.sql) OWNED BY NONE"
        }
    }

    private static func takeOverPositions(_ table: Exchange) -> [String] {
        table.sequences.compactMap { sequence in
            guard case .identity(let source, let green) = sequence else { return nil }
            return "SELECT setval(\(Quoting.literal(green.sql)), last_value, is_called) FROM \(source.sql)"
        }
    }

    private static func own(_ table: Exchange) -> [String] {
        table.sequences.compactMap { sequence in
            guard case .serial(let name, let column?) = sequence else { return nil }
            return "ALTER SEQUENCE \(name.sql) OWNED BY \(table.live.sql).\(Quoting.identifier(column))"
        }
    }
}
