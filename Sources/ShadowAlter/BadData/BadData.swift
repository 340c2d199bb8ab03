import PgConnection

/// Rows that the new definition does not take.
enum BadData {
    enum Source: String, Sendable {
        case copy = "the copy of existing rows"
        case liveWrite = "a row that the application has written meanwhile"
        case index = "building an index"

        /// For rows that were looked for.
        var search: String { self == .liveWrite ? "the refresh of what was written meanwhile" : rawValue }
    }

    private static let state =
        "no live table was touched, the application goes on; the new table, the slot and everything copied so far are kept, and the slot "
        + "holds WAL until the migration goes on or is aborted"

    /// The error for a failure that lies in the data; nil for one that does not. Where nobody has looked for the row.
    static func explain(_ error: PgError, table: TablePlan, source: Source) -> MigrationError? {
        guard let state = error.sqlState, error.isAboutData else { return nil }
        var message =
            "a row of \(table.source) cannot be had in its new form, found by \(source.rawValue): \(ShortValue.text(error.message))"
        if let detail = error.detail { message += " (\(ShortValue.text(detail)))" }
        if let column = error.columnName { message += ", column \(column)" }
        if let constraint = error.constraintName { message += ", constraint \(constraint)" }
        // PostgreSQL names no constraint when there is no partition.
        let lacksPartition = table.isPartitioned && state == .checkViolation && error.constraintName == nil
        return MigrationError(
            .badData, message, state: Self.state, advice: advice(table, lacksPartition: lacksPartition))
    }

    /// The error for rows that were looked for and found, of one table or several.
    ///
    /// - Parameter first: what PostgreSQL has said before anybody looked.
    static func explain(_ found: [BadRows], first: PgError, table: TablePlan, source: Source) -> MigrationError? {
        let found = found.filter { $0.total > 0 }
        guard var error = explain(first, table: table, source: source) else { return nil }
        guard !found.isEmpty else { return error }
        let lists = found.map { bad in
            "\(bad.count) of \(bad.table): " + bad.rows.map(\.text).joined(separator: "; ")
                + (bad.total > bad.rows.count ? "; …" : "")
        }
        error.message =
            "rows that cannot be had in their new form, found by \(source.search): \(lists.joined(separator: "; "))"
        return error
    }

    private static func advice(_ table: TablePlan, lacksPartition: Bool) -> String {
        lacksPartition
            ? "add a partition for it (CREATE TABLE \(table.green.schema).… PARTITION OF \(table.green.sql) FOR VALUES …; it moves along at "
                + "the cut-over), or change the row, and run the same command again; or `shadow-alter abort`"
            : "change the rows, or what a function of yours in USING makes of them, and run the same command again, which goes on where it was; "
                + "or `shadow-alter abort` and change the definition"
    }
}

extension PgError {
    /// A value cannot be converted, or breaks a constraint: SQLSTATE classes 22 and 23.
    var isAboutData: Bool { sqlState?.classCode == "22" || sqlState?.classCode == "23" }
}
