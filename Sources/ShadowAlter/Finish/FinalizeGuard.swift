import PgConnection

/// What has to be so before the old tables may go.
enum FinalizeGuard {
    /// Throws `conflict` before the exchange, before its foreign keys are validated, and when the new tables are known to differ from the old ones.
    ///
    /// - Parameter acceptsMismatches: somebody knows of the rows that differ.
    static func check(
        _ record: MigrationRecord, acceptsMismatches: Bool, on connection: isolated PgConnection
    ) throws {
        let name = record.name
        let state =
            "the new definition is live and in use; \(record.plan.oldTablesAre) untouched in the schema \(record.plan.blueSchema)"
        guard record.phase.isAfterSwap else {
            throw MigrationError(
                .conflict,
                "migration \(name) has not exchanged the tables yet, it is in the phase \(record.phase.rawValue)",
                state: "nothing was changed", advice: "run it to its end, or `shadow-alter abort \(name)`")
        }
        guard record.isSettled else {
            throw MigrationError(
                .conflict,
                "migration \(name) has work to do after its cut-over that is not finished: foreign keys to be validated",
                state: state,
                advice:
                    "give the command that started the migration once more, it finishes that; then `shadow-alter finalize \(name)`"
            )
        }
        guard !acceptsMismatches, let last = try StateStore.verification(of: record.id, on: connection), last.hasFailed
        else { return }
        let differences = last.mismatches == 1 ? "1 difference" : "\(last.mismatches) differences"
        throw MigrationError(
            .conflict,
            "the last verification of migration \(name), of \(last.started), has failed (\(differences)), and the tables were exchanged without another one",
            state: state,
            advice:
                "compare them with \(record.plan.oldTables), mend them, then `shadow-alter finalize --accept-mismatches \(name)`"
        )
    }
}
