import PgConnection

/// Old column ← SQL expression over the new table's row: how the old table can follow the new one after the exchange. Decided with the plan.
public struct InverseMapping: Codable, Sendable, Equatable {
    /// A column of the old table.
    public struct Column: Codable, Sendable, Equatable {
        public var name: String
        /// As `format_type` prints it.
        public var type: String
        public var source: Source
    }

    /// Where a column's value comes from.
    public enum Source: Codable, Sendable, Equatable {
        /// An expression over the new table's columns under their own names. Without a cast to the old type: INSERT's assignment cast never
        /// shortens a value silently.
        case expression(String)
        /// The change drops the column: rows that the old table has keep their value; others take the column's default, or NULL.
        case kept(default: String?)
        /// PostgreSQL computes it from the others.
        case generated
        case impossible(why: String)
    }

    /// The old table's columns, in their order.
    public var columns: [Column]
    /// The new table's columns that nothing in the old one is made of.
    public var lost: [String] = []
    /// Why there is no way back for this table; empty when there is one.
    public var obstacles: [String] = []
    /// What a row may have that cannot go back. Stops nothing before there is such a row.
    public var notes: [String] = []
    /// How the old table's rows are found by the new one's key. `source` is the new table's column, `green` the old one's.
    public var key: [KeyColumn] = []
    /// All columns of the new table, in the order of `attnum`.
    public var sourceNames: [String] = []
    /// Whether a publication of the new table has to list all columns (`TablePlan.publishesWholeRows`).
    public var publishesWholeRows = false
    /// The old table's columns that cannot be compared with the new table's rows.
    public var uncompared: [UncomparedColumn] = []

    /// That of a plan from before there were any.
    public static let notPlanned = InverseMapping(
        columns: [], obstacles: ["the migration was planned by a version of shadow-alter that knew no way back"])

    public var isPossible: Bool { obstacles.isEmpty }

    /// The old table's columns that keep their values.
    var kept: [String] {
        columns.compactMap { column in
            if case .kept = column.source { column.name } else { nil }
        }
    }
}

extension KeyedDecodingContainer {
    /// A plan that was recorded before there were inverse mappings has none.
    func decode(_ type: InverseMapping.Type, forKey key: Key) throws -> InverseMapping {
        try decodeIfPresent(type, forKey: key) ?? .notPlanned
    }
}
