import PgConnection

extension SteeringCommand {
    /// Why it makes no sense for a migration as it is now; nil: it does.
    func refusal(_ record: MigrationRecord, on connection: isolated PgConnection) throws -> MigrationError? {
        switch (self, record.phase) {
        case (.rollback, .baking):
            guard let obstacle = try StateStore.rollbackObstacle(of: record.id, on: connection) else { return nil }
            return MigrationError(
                .conflict, "migration \(record.name) cannot be rolled back now: \(obstacle)",
                state: "nothing was changed; the new definition is live, and the old tables follow it",
                advice: "once that is mended, `shadow-alter rollback \(record.name)` again")
        case (.rollback, .done):
            return MigrationError(
                .conflict, "migration \(record.name) cannot be rolled back: its old tables do not follow the new ones",
                state:
                    "the new definition is live; \(record.plan.oldTablesAre) in the schema \(record.plan.blueSchema), as of the exchange or the bake's end",
                advice: "only a migration that was run with --bake can, as long as it bakes")
        case (.rollback, _):
            return MigrationError(
                .conflict,
                "migration \(record.name) has not exchanged the tables yet, it is in the phase \(record.phase.rawValue)",
                state: "nothing was changed", advice: "`shadow-alter abort \(record.name)` ends it")
        case (.finalize, _):
            do {
                try FinalizeGuard.check(record, acceptsMismatches: false, on: connection)
                return nil
            } catch let error as MigrationError {
                return error
            }
        case (.cutOver, .baking), (.abort, .baking), (_, .done):
            return MigrationError(
                .conflict, "migration \(record.name) has already exchanged the tables",
                state: "the new definition is live",
                advice:
                    "`shadow-alter finalize \(record.name)` removes \(record.plan.oldTables)"
                    + (record.phase == .baking ? "; `shadow-alter rollback \(record.name)` goes back" : ""))
        default:
            return nil
        }
    }
}
