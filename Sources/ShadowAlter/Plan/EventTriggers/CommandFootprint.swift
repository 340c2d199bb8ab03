import PgConnection

/// The tags of all statements with which a migration makes event triggers fire, from the plan to `finalize`. Pure.
struct CommandFootprint: Sendable, Equatable {
    /// `ddl_command_start` and `ddl_command_end`
    var commands: Set<String> = []
    /// `sql_drop`
    var drops: Set<String> = []
    /// `table_rewrite`
    var rewrites: Set<String> = []

    /// - Parameters:
    ///   - planning: what planning has executed, taken back or not: `run` does it again, and the clone is made by it.
    ///   - isRewritten: whether the change rewrites the clone, which is empty.
    init(of plan: MigrationPlan, planning: [String], isRewritten: Bool) {
        for statement in planning { add(statement) }
        if isRewritten { rewrites = ["ALTER TABLE"] }
        switch plan.strategy {
        case .native: for statement in plan.nativeStatements { add(statement) }
        case .shadow: for statement in Self.statements(of: plan) { add(statement) }
        }
        // Statistics objects do not move with their tables, and which there are is read at the cut-over.
        if plan.strategy == .shadow, commands.contains("CREATE STATISTICS") { commands.insert("ALTER STATISTICS") }
    }

    private static func statements(of plan: MigrationPlan) -> [String] {
        let none = SwapSQL.Statistics(source: [], green: [])
        let spools = plan.tables.enumerated().flatMap { number, table in
            [
                SpoolSQL.create(StateSchema.spool(tableID: Int64(number)), for: table),
                VerifySQL.create(StateSchema.suspects(tableID: Int64(number)), for: table),
            ]
        }
        let dependants = plan.dependants.flatMap { dependant in
            (dependant.preparation?.statements ?? []) + dependant.remove + dependant.restore + dependant.settle
        }
        return [StateSchema.create] + spools + ["COMMENT ON SCHEMA s IS ''", "CREATE PUBLICATION p"]
            + plan.tables.flatMap { $0.indexes.map(\.definition) + $0.afterIndexes } + plan.completion
            + LockPlan(plan).statements(owners: [:]) + dependants
            + SwapSQL.statements(
                for: plan.exchanges, blueSchema: plan.blueSchema, statistics: plan.exchanges.map { _ in none })
            + (plan.compatShapes.isEmpty ? [] : CompatSQL.kinds) + [
                "DROP PUBLICATION p", "DROP TABLE t", "DROP SCHEMA s",
            ]
    }

    private mutating func add(_ text: String) {
        // What cannot be cut into statements is not ours, and PostgreSQL has refused it.
        for statement in (try? SQLStatement.split(text)) ?? [] {
            guard let tag = CommandTag.of(statement) else { continue }
            commands.insert(tag)
            if statement.tokens.contains(where: { $0.isWord("drop") }) { drops.insert(tag) }
        }
    }
}
