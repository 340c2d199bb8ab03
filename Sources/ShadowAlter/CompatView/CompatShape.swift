import PgConnection

/// What the view of a table's other shape is made of, over the rows of the table that is live, and how what is written to it becomes rows of that table.
/// Decided with the plan.
public struct CompatShape: Codable, Sendable, Equatable {
    /// A column of the view, under the name that it has in this shape.
    public struct Column: Codable, Sendable, Equatable {
        public var name: String
        public var source: Source
        /// As `format_type` prints it under an empty `search_path`, without a length or a precision: a value is shown whole or not at all.
        public var type: String
        /// Whether a value that is not the one shown must be refused: the live table has no place for it, and the other table will have one.
        public var isUnkept = false
    }

    public enum Source: Codable, Sendable, Equatable {
        /// The live table's column itself: PostgreSQL writes to it through the view, and finds rows by its indexes.
        case column(String)
        /// An expression over the live table's columns, under the names that `liveRow` gives them.
        case expression(String)
        /// The live table has no such column; nil: and the column's default is no constant, or it has none.
        case constant(String?)
    }

    /// A column of the live table that the shape has a value for.
    public struct Target: Codable, Sendable, Equatable {
        public var name: String
        /// Without a length or a precision: the assignment to the table sees to these.
        public var type: String
        /// The view's column that is the same; nil: `expression` tells.
        public var column: String?
        /// Over the view's columns, under the names that `row` gives them.
        public var expression: String
    }

    /// A column of the key, which is the same in both shapes.
    public struct Key: Codable, Sendable, Equatable {
        /// The view's.
        public var name: String
        /// The live table's.
        public var target: String
    }

    /// By which expressions know a row and its columns.
    public struct Row: Codable, Sendable, Equatable {
        public var alias: String
        /// In the order of the columns.
        public var names: [String]
    }

    public var kind: CompatView
    /// Whether the exchange that is planned takes the view away; otherwise it makes it.
    public var goesWithExchange: Bool
    public var view: QualifiedName
    /// The table that the view shows, under the name that it has as long as the view is there.
    public var live: QualifiedName
    /// Tells the functions of several tables apart.
    public var number: Int
    public var columns: [Column]
    public var targets: [Target]
    public var key: [Key]
    /// The columns of `live`, under their own names, as `liveRow` has them.
    public var liveNames: [String]
    public var liveRow: Row
    /// The view's row.
    public var row: Row

    /// Whether PostgreSQL can write to the view without triggers.
    public var isPlain: Bool {
        columns.allSatisfy { if case .column = $0.source { true } else { false } }
            && targets.allSatisfy { $0.column != nil }
    }

    /// What must not be written to.
    public var unkept: [Column] { columns.filter(\.isUnkept) }

    func function(_ purpose: Purpose) -> QualifiedName {
        QualifiedName(schema: view.schema, name: "\(purpose.rawValue)_\(number)")
    }

    enum Purpose: String, CaseIterable {
        /// A row of the view → a row of the live table.
        case forward = "shadow_alter_forward"
        case insert = "shadow_alter_insert"
        case update = "shadow_alter_update"
    }
}

extension MigrationPlan {
    var compatShapes: [CompatShape] { tables.flatMap(\.compat) }
}

extension KeyedDecodingContainer {
    /// A plan that was recorded before there were such views has none.
    func decode(_ type: [CompatShape].Type, forKey key: Key) throws -> [CompatShape] {
        try decodeIfPresent(type, forKey: key) ?? []
    }
}
