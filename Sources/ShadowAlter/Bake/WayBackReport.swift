import PgConnection

/// How the old table's rows are made of the new one's, for a person to read. Pure.
struct WayBackReport {
    let table: TablePlan

    private var inverse: InverseMapping { table.inverse }

    var lines: [String] {
        let heading = inverse.isPossible ? "way back   the old rows, made of the new ones" : "way back   none"
        return [heading]
            + (inverse.obstacles.map { "not possible: \($0)" } + columns + lost + inverse.notes).map { "  \($0)" }
    }

    private var columns: [String] {
        guard !inverse.columns.isEmpty else { return [] }
        let changed = inverse.columns.compactMap { line(for: $0) }
        let others = inverse.columns.count { isTakenOver($0) }
        return changed + (others == 0 ? [] : [others == 1 ? "1 column as it is" : "\(others) columns as they are"])
    }

    private var lost: [String] {
        inverse.lost.isEmpty ? [] : ["would be lost: \(inverse.lost.joined(separator: ", "))"]
    }

    /// Whether the value goes back into the column of the same name and type that it has come from.
    private func isTakenOver(_ column: InverseMapping.Column) -> Bool {
        guard let plan = plan(of: column), plan.greenName == column.name, !plan.hasNewType else { return false }
        return column.source == .expression(Quoting.identifier(column.name))
    }

    private func plan(of column: InverseMapping.Column) -> ColumnPlan? {
        table.columns.first { $0.name == column.name }
    }

    /// nil for a column that is as it was, and for one that stands among the obstacles.
    private func line(for column: InverseMapping.Column) -> String? {
        guard !isTakenOver(column) else { return nil }
        switch column.source {
        case .impossible: return nil
        case .generated: return "\(column.name), computed by PostgreSQL"
        case .kept(let value):
            return "\(column.name) keeps what it has; a new row gets \(value ?? "NULL")"
        case .expression(let expression):
            let plan = plan(of: column)
            guard let name = plan?.greenName, expression == Quoting.identifier(name) else {
                return "\(column.name) ← \(expression)"
            }
            guard let plan, plan.hasNewType, let type = plan.greenType else { return "\(column.name) ← \(name)" }
            guard type != plan.type else { return "\(column.name) ← \(name) (another collation)" }
            return "\(column.name) ← \(name) (\(type) to \(plan.type); what \(plan.type) cannot hold cannot go back)"
        }
    }
}
