import PgConnection

/// Shadow column ← SQL expression over the source row.
public struct RowMapping: Codable, Sendable, Equatable {
    public struct Column: Codable, Sendable, Equatable {
        public var green: String
        /// An expression over the source's columns under the names of `sourceNames`. Without a cast to the green type:
        /// INSERT's assignment cast is the one that `ALTER COLUMN … TYPE` uses, and it never shortens a value silently.
        public var expression: String
    }

    /// The name by which expressions may qualify columns: the table's.
    public var alias: String
    /// The source's columns in `attnum` order under the names that the expressions know them by (a rename may come before a USING).
    public var sourceNames: [String]
    /// Without generated columns, and without columns that take their default.
    public var columns: [Column]
    /// Columns of the target that the mapping has no value for: rows that are there keep theirs, others take the default. Only on the way back;
    /// nil otherwise.
    public var kept: [String]?
}
