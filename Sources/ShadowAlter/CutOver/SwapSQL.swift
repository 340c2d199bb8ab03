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

    static func statements(for table: TablePlan, blueSchema: String, statistics: Statistics) -> [String] {
        let live = QualifiedName(schema: table.source.schema, name: table.green.name)
        let blue = Quoting.identifier(blueSchema)
        let liveSchema = Quoting.identifier(table.source.schema)
        return disown(table)
            + takeOverPositions(table)
            + ["ALTER TABLE \(table.source.sql) SET SCHEMA \(blue)"]
            + statistics.source.map { "ALTER STATISTICS \($0.sql) SET SCHEMA \(blue)" }
            + ["ALTER TABLE \(table.green.sql) SET SCHEMA \(liveSchema)"]
            + statistics.green.map { "ALTER STATISTICS \($0.sql) SET SCHEMA \(liveSchema)" }
            + own(table, live)
    }

    /// SET SCHEMA takes owned sequences along, so that one which is to stay must be nobody's for a moment.
    private static func disown(_ table: TablePlan) -> [String] {
        table.sequences.compactMap { sequence in
            guard case .serial(let name, .some) = sequence else { return nil }
            return "ALTER SEQUENCE \(name.sql) OWNED BY NONE"
        }
    }

    private static func takeOverPositions(_ table: TablePlan) -> [String] {
        table.sequences.compactMap { sequence in
            guard case .identity(let source, let green) = sequence else { return nil }
            return "SELECT setval(\(Quoting.literal(green.sql)), last_value, is_called) FROM \(source.sql)"
        }
    }

    private static func own(_ table: TablePlan, _ live: QualifiedName) -> [String] {
        table.sequences.compactMap { sequence in
            guard case .serial(let name, let column?) = sequence else { return nil }
            return "ALTER SEQUENCE \(name.sql) OWNED BY \(live.sql).\(Quoting.identifier(column))"
        }
    }
}
