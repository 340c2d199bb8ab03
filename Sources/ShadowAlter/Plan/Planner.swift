import PgConnection

/// Finds out what a change means by making it: on a complete, empty clone, inside the caller's transaction.
public enum Planner {
    /// The name of the migration that a request means; nil when its table is not there.
    static func name(of request: MigrationRequest, on connection: isolated PgConnection) throws -> String? {
        if let name = request.name { return name }
        return try? PlannedChange.read(request, on: connection).source.name
    }

    /// Creates the green and blue schemas and the green table without its indexes, for good if the caller commits; nothing for a native change.
    ///
    /// Takes ACCESS SHARE on the source. Throws `Refused` for everything that this tool or PostgreSQL does not accept.
    static func plan(_ request: MigrationRequest, on connection: isolated PgConnection) throws -> MigrationPlan {
        let change = try PlannedChange.read(request, on: connection)
        let name = request.name ?? change.source.name
        if case .script = request.change {
            // Which table it changes is known only now.
            let refusals = try Preflight.check(table: change.sourceOID, migration: name, on: connection)
            guard refusals.isEmpty else { throw Refused(refusals) }
        }
        let schemas = try SchemaNames(migration: name, on: connection)
        let settings = try connection.query(
            "SELECT current_setting('search_path') AS path, current_setting('TimeZone') AS zone"
        ).single()
        let path: String = try settings.get("path")
        try connection.execute("SAVEPOINT shadow_alter_plan")
        try connection.execute(
            "CREATE SCHEMA \(Quoting.identifier(schemas.green)); CREATE SCHEMA \(Quoting.identifier(schemas.blue))")
        let green = QualifiedName(schema: schemas.green, name: change.source.name)
        let clone = TableClone(source: change.source, sourceOID: change.sourceOID, green: green)
        let greenOID = try clone.create(on: connection)
        let trial = try Trial(change: change, green: green, greenOID: greenOID, searchPath: path).run(on: connection)

        var plan = MigrationPlan(
            name: name, request: request, strategy: .shadow, strategyReason: "", greenSchema: schemas.green,
            blueSchema: schemas.blue, searchPath: path, timeZone: try settings.get("zone"), nativeStatements: [],
            tables: [], dependants: [],
            warnings: [])
        (plan.strategy, plan.strategyReason) = try choose(request, change, trial)
        let builder = TablePlanBuilder(change: change, green: green, greenOID: greenOID, trial: trial)
        let (table, warnings) = try builder.build(on: connection)
        plan.tables = [table]
        if plan.strategy == .shadow {
            let migrated = MigratedTable(table, greenOID: greenOID)
            plan.dependants = try Dependants.read([migrated], on: connection)
            try Dependants.tryOut([migrated], on: connection)
        }
        plan.warnings = warnings + (try Preflight.warnings(table: change.sourceOID, on: connection))
        if plan.strategy == .native {
            plan.nativeStatements = native(change, request)
            try connection.execute("ROLLBACK TO SAVEPOINT shadow_alter_plan")
        }
        return plan
    }

    private static func choose(
        _ request: MigrationRequest, _ change: PlannedChange, _ trial: Trial.Outcome
    ) throws -> (MigrationPlan.Strategy, String) {
        switch (request.strategy, trial.reasonForWork) {
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
                    code: "strategy", object: change.source.description,
                    what: "--strategy native was asked for, but \(reason)",
                    why: "the application would wait for all of that", fix: "--strategy auto or shadow")
            ])
        }
    }

    private static func native(_ change: PlannedChange, _ request: MigrationRequest) -> [String] {
        switch request.change {
        case .alter: change.statements.map { "ALTER TABLE \(change.source.sql) \($0.sql)" }
        case .script: change.statements.map(\.sql)
        }
    }
}

/// The schemas of a migration's new and old tables.
private struct SchemaNames {
    let green: String
    let blue: String

    /// Throws `Refused` when one exists or does not fit PostgreSQL's 63 bytes.
    init(migration: String, on connection: isolated PgConnection) throws {
        green = migration + "_green"
        blue = migration + "_blue"
        guard green.utf8.count <= 63 else {
            throw Refused([
                Refusal(
                    code: "name-too-long", object: migration, what: "the schema \(green) would have more than 63 bytes",
                    why: "PostgreSQL would cut its name", fix: "give the migration a shorter name: --name NAME")
            ])
        }
        let taken = try connection.query(
            "SELECT nspname FROM pg_namespace WHERE nspname IN ($1, $2) ORDER BY 1", [.text(green), .text(blue)])
        if let schema: String = try taken.first?.value() {
            throw Refused([
                Refusal(
                    code: "schema-exists", object: schema, what: "the schema exists already",
                    why: "the migration needs it for itself, and what is in there may be somebody's",
                    fix: "give the migration another name (--name NAME), finalize an earlier one, or drop the schema")
            ])
        }
    }
}
