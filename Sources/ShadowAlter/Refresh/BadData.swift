import PgConnection

/// Rows that the new definition does not take.
enum BadData {
    enum Source: String, Sendable {
        case copy = "the copy of existing rows"
        case liveWrite = "a row that the application has written meanwhile"
        case index = "building an index"
    }

    /// The error for a failure that lies in the data; nil for one that does not.
    static func explain(_ error: PgError, table: TablePlan, source: Source) -> MigrationError? {
        guard let state = error.sqlState, error.isAboutData else { return nil }
        var message =
            "a row of \(table.source) cannot be had in its new form, found by \(source.rawValue): \(error.message)"
        if let detail = error.detail { message += " (\(detail))" }
        if let column = error.columnName { message += ", column \(column)" }
        if let constraint = error.constraintName { message += ", constraint \(constraint)" }
        // PostgreSQL names no constraint when there is no partition.
        let lacksPartition = table.isPartitioned && state == .checkViolation && error.constraintName == nil
        return MigrationError(
            .badData, message,
            state: "no live table was touched; the shadow, the slot and everything copied so far are kept",
            advice: lacksPartition
                ? "add a partition for it (CREATE TABLE \(table.green.schema).… PARTITION OF \(table.green.sql) FOR VALUES …; it moves along at "
                    + "the cut-over), or change the row, and run the same command again; or `shadow-alter abort`"
                : "mend the data and run the same command again, or `shadow-alter abort` and change the definition")
    }
}

extension PgError {
    /// A value cannot be converted, or breaks a constraint: SQLSTATE classes 22 and 23.
    var isAboutData: Bool { sqlState?.classCode == "22" || sqlState?.classCode == "23" }
}
