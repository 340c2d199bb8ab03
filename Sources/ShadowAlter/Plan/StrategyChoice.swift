import PgConnection

/// How a change will be made, and why. Pure.
struct StrategyChoice {
    let request: MigrationRequest
    let change: PlannedChange
    let tried: [TriedTable]

    /// Native only where it is a change of catalogs for every table: they are to change together.
    func made() throws -> (MigrationPlan.Strategy, reason: String) {
        switch (request.strategy, reasonForWork) {
        case (.shadow, nil):
            return (.shadow, "asked for, although PostgreSQL would only change catalogs")
        case (.shadow, let reason?), (.auto, let reason?):
            return (.shadow, reason)
        case (.auto, nil) where change.statements.isEmpty:
            throw Refused.change(
                "--alter", "it is empty", "there is nothing to do", "--strategy shadow rebuilds the table as it is")
        case (.auto, nil), (.native, nil):
            return (.native, "PostgreSQL only changes catalogs: no rewrite, no scan, no index build")
        case (.native, let reason?):
            throw Refused([
                Refusal(
                    code: "strategy", object: change.tables.map(\.source.description).joined(separator: ", "),
                    what: "--strategy native was asked for, but \(reason)",
                    why: "the application would wait for all of that", fix: "--strategy auto or shadow")
            ])
        }
    }

    /// nil when no table needs work.
    private var reasonForWork: String? {
        let roots = tried.filter { $0.clone.table.depth == 0 }
        guard roots.count > 1 else { return roots.first?.reasonForWork }
        let reasons = roots.compactMap { table in table.reasonForWork.map { "\(table.clone.source): \($0)" } }
        return reasons.isEmpty ? nil : reasons.joined(separator: "; ")
    }
}
