import PgConnection

/// Finds out what a change means by making it: on complete, empty clones, inside the caller's transaction.
public enum Planner {
    /// The name of the migration that a request means; nil when its table is not there, or several have none.
    static func name(of request: MigrationRequest, on connection: isolated PgConnection) throws -> String? {
        if let name = request.name { return name }
        return try? PlannedChange.read(request, on: connection).name(asked: nil)
    }

    /// Creates the green and blue schemas and the green tables without their indexes, for good if the caller commits; nothing for a native change.
    ///
    /// Takes ACCESS SHARE on the sources. Throws `Refused` for everything that this tool or PostgreSQL does not accept.
    static func plan(_ request: MigrationRequest, on connection: isolated PgConnection) throws -> MigrationPlan {
        let (made, executed) = try connection.recording { try make(request, on: $0) }
        var plan = made.plan
        plan.warnings += try EventTriggers.read(on: connection).warnings(about: plan) { plan in
            CommandFootprint(of: plan, planning: executed, isRewritten: made.isRewritten)
        }
        return plan
    }

    private static func make(
        _ request: MigrationRequest, on connection: isolated PgConnection
    ) throws -> (plan: MigrationPlan, isRewritten: Bool) {
        let change = try PlannedChange.read(request, on: connection)
        if case .script = request.change { try preflight(change, request, on: connection) }
        let name = try change.name(asked: request.name)
        let expanded = try change.tables.map { try $0.expanded(on: connection) }
        // A partition that is named beside its partitioned table is met there.
        let covered = Set(expanded.flatMap { $0.dropFirst() }.map(\.sourceOID))
        let roots = change.tables.filter { !covered.contains($0.sourceOID) }
        try NameCollisions.check(roots.flatMap { try $0.expanded(on: connection) }, on: connection)
        let reverse = try ReverseExpressions.read(request.reverse, for: change.tables, on: connection)
        let schemas = try SchemaNames(migration: name, on: connection)
        let settings = try connection.query(
            "SELECT current_setting('search_path') AS path, current_setting('TimeZone') AS zone"
        ).single()
        let path: String = try settings.get("path")
        try connection.execute("SAVEPOINT shadow_alter_plan")
        try schemas.create(on: connection)
        let clones = try roots.flatMap { try ClonedTable.clone($0, into: schemas.green, on: connection) }
        let tried = try Trial(
            statements: change.statements, clones: clones, replaced: change.replaced, greenSchema: schemas.green,
            searchPath: path
        ).run(on: connection)
        try NameCollisions.check(tried, on: connection)

        var plan = MigrationPlan(
            name: name, request: request, strategy: .shadow, strategyReason: "", greenSchema: schemas.green,
            blueSchema: schemas.blue, searchPath: path, timeZone: try settings.get("zone"), nativeStatements: [],
            tables: [], dependants: [],
            warnings: [])
        (plan.strategy, plan.strategyReason) = try StrategyChoice(request: request, change: change, tried: tried).made()
        try complete(&plan, tried, reverse, on: connection)
        plan = try CompatPlanner.plan(plan, tried, on: connection)
        if plan.strategy == .native {
            if !request.reverse.isEmpty {
                plan.warnings.append(
                    "--reverse has no effect: PostgreSQL changes the table itself, and no old one is left; --strategy shadow makes a new table"
                )
            }
            plan.nativeStatements = native(change)
            try connection.execute("ROLLBACK TO SAVEPOINT shadow_alter_plan")
        }
        return (plan, tried.contains(where: \.isRewritten))
    }

    /// Which tables a script changes is known only when it has been read.
    private static func preflight(
        _ change: PlannedChange, _ request: MigrationRequest, on connection: isolated PgConnection
    ) throws {
        // Without a name the migration may still be refused for that; until then any name will do that is no other's.
        let name = request.name ?? change.tables.first?.source.name
        let refusals = try change.tables.flatMap { table in
            try Preflight.check(
                table: table.sourceOID, migration: name, allowing: request.allowedPublications, on: connection)
        }
        guard refusals.isEmpty else { throw Refused(refusals) }
    }

    /// Adds what depends on the clones as the change has left them: the tables' plans and what moves with them.
    private static func complete(
        _ plan: inout MigrationPlan, _ tried: [TriedTable], _ reverse: ReverseExpressions,
        on connection: isolated PgConnection
    ) throws {
        var warnings: [String] = []
        let (parents, tables) = (
            tried.filter(\.clone.table.isPartitioned), tried.filter { !$0.clone.table.isPartitioned }
        )
        for table in tables {
            let (built, notes) = try TablePlanBuilder(
                tried: table, reverse: reverse.of(table.clone.table)
            ).build(on: connection)
            plan.tables.append(built)
            warnings += notes
        }
        for parent in parents {
            let (built, notes) = try ParentPlanBuilder(tried: parent).build(on: connection)
            plan.parents.append(built)
            warnings += notes
        }
        for table in tried {
            warnings += try Preflight.warnings(table: table.clone.sourceOID, on: connection)
        }
        for root in parents where root.clone.table.depth == 0 {
            let tree = try PartitionTree.read(root.clone.greenOID, on: connection)
            let completion = try TreeCompletion.read(tree, on: connection)
            plan.completion += completion.statements
            try completion.strip(on: connection)
        }
        for table in tables { try TablePlanBuilder(tried: table).strip(on: connection) }
        var seen: Set<String> = []
        plan.warnings = warnings.filter { seen.insert($0).inserted }
        let migrated = try MigratedTable.all(of: plan, greenOIDs: tables.map(\.clone.greenOID), on: connection)
        plan.subscribers = try PublicationAdvice.read(plan, migrated, on: connection)
        guard plan.strategy == .shadow else {
            try PublicationReader.checkNative(migrated, on: connection)
            return
        }
        try Policies(tables: migrated).create(on: connection)
        plan.dependants = try Dependants.plan(migrated, on: connection)
    }

    private static func native(_ change: PlannedChange) -> [String] {
        change.statements.map { statement in
            let table = change.tables.first { $0.sourceOID == statement.table }
            return statement.isClauses ? "ALTER TABLE \(table?.source.sql ?? "") \(statement.sql)" : statement.sql
        }
    }
}
