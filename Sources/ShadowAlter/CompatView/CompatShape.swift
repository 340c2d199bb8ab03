import PgConnection

/// What the old shape of a table is made of, over the new table's rows, and how what is written to it becomes rows of the new table. Decided with the
/// plan.
public struct CompatShape: Codable, Sendable, Equatable {
    /// A column of the view, under the old table's name.
    public struct Column: Codable, Sendable, Equatable {
        public var name: String
        public var source: Source
        /// As `format_type` prints it under an empty `search_path`, without a length or a precision: a value is shown whole or not at all.
        public var type: String
    }

    public enum Source: Codable, Sendable, Equatable {
        /// The new table's column itself: PostgreSQL writes to it through the view, and finds rows by its indexes.
        case column(String)
        /// An expression over the new table's columns.
        case expression(String)
        /// The change drops the column, or its default is no constant.
        case constant(String?)
    }

    /// A column of the new table that the old shape has a value for.
    public struct Target: Codable, Sendable, Equatable {
        public var name: String
        /// Without a length or a precision: the assignment to the table sees to these.
        public var type: String
        /// The view's column that is the same; nil: `expression` tells.
        public var column: String?
        /// Over the old table's columns, under the mapping's names.
        public var expression: String
    }

    /// A column of the key, which is the same in both shapes.
    public struct Key: Codable, Sendable, Equatable {
        /// The view's.
        public var name: String
        /// The new table's.
        public var target: String
    }

    public var view: QualifiedName
    /// The new table under the name that it has after the exchange.
    public var live: QualifiedName
    /// Tells the functions of several tables apart.
    public var number: Int
    public var columns: [Column]
    public var targets: [Target]
    public var key: [Key]
    /// By which the targets' expressions know the old table and its columns, in the order of `columns`.
    public var oldAlias: String
    public var oldNames: [String]

    /// Whether PostgreSQL can write to the view without triggers.
    public var isPlain: Bool {
        columns.allSatisfy { if case .column = $0.source { true } else { false } }
            && targets.allSatisfy { $0.column != nil }
    }

    func function(_ purpose: Purpose) -> QualifiedName {
        QualifiedName(schema: view.schema, name: "\(purpose.rawValue)_\(number)")
    }

    enum Purpose: String, CaseIterable {
        /// A row of the view → a row of the new table.
        case forward = "shadow_alter_forward"
        case insert = "shadow_alter_insert"
        case update = "shadow_alter_update"
    }
}

extension MigrationPlan {
    var compatShapes: [CompatShape] { tables.compactMap(\.compat) }
}
