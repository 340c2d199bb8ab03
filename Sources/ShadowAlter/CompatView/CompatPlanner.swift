import PgConnection

/// Finds out, while the change is planned, how the other shapes of the tables can be shown and written to, and makes the views that are there before the
/// exchange: for good if the caller commits.
struct CompatPlanner {
    let plan: MigrationPlan
    let tables: [TriedTable]

    /// The plan with the shapes. Throws `Refused` for what would come out wrong.
    static func plan(_ plan: MigrationPlan, _ tables: [TriedTable], on connection: isolated PgConnection) throws
        -> MigrationPlan
    {
        guard !plan.request.compatViews.isEmpty else { return plan }
        return try Self(plan: plan, tables: tables).run(on: connection)
    }

    private func run(on connection: isolated PgConnection) throws -> MigrationPlan {
        try checkMigration(on: connection)
        var plan = plan
        var refusals: [Refusal] = []
        for index in plan.tables.indices {
            let table = plan.tables[index]
            guard let tried = tables.first(where: { $0.clone.sourceOID == table.sourceOID }) else { continue }
            for view in plan.request.compatViews {
                do {
                    plan.tables[index].compat.append(
                        try planner(view, table, tried, number: index + 1, on: connection).shape(on: connection))
                } catch let refused as Refused {
                    refusals += refused.refusals
                }
            }
        }
        guard refusals.isEmpty else { throw Refused(refusals) }
        return try CompatViews.createBeforeExchange(plan, greenOIDs: greenOIDs, on: connection)
    }

    private var greenOIDs: [UInt32] {
        plan.tables.compactMap { table in
            tables.first { $0.clone.sourceOID == table.sourceOID }?.clone.greenOID
        }
    }

    private func planner(
        _ view: CompatView, _ table: TablePlan, _ tried: TriedTable, number: Int, on connection: isolated PgConnection
    ) throws -> CompatTablePlanner {
        let schema = view.schema(of: plan.name)
        switch view {
        case .old:
            return CompatTablePlanner(
                table: table.source, side: .old(table, tried),
                view: QualifiedName(schema: schema, name: table.source.name), live: table.exchange.live, number: number)
        case .new:
            return CompatTablePlanner(
                table: table.source, side: try .new(table, tried, on: connection),
                view: QualifiedName(schema: schema, name: table.green.name), live: table.source, number: number)
        }
    }

    private func checkMigration(on connection: isolated PgConnection) throws {
        guard plan.strategy == .shadow else {
            throw Refused.compatView(
                plan.name, "PostgreSQL makes this change in its catalogs alone",
                "nothing is recorded of it, and nobody would take the views away",
                "leave out --compat-view, or take --strategy shadow")
        }
        let partitioned =
            plan.parents.map(\.source) + plan.tables.filter { $0.isInTree || $0.isPartitioned }.map(\.source)
        if let table = partitioned.first {
            throw Refused.compatView(
                table.description, "it is or becomes partitioned",
                "the other shape of partitioned tables is not supported", "leave out --compat-view")
        }
        for view in plan.request.compatViews { try checkSchema(view.schema(of: plan.name), on: connection) }
        try checkTables(on: connection)
    }

    private func checkSchema(_ schema: String, on connection: isolated PgConnection) throws {
        let isTaken: Bool = try connection.query(
            "SELECT EXISTS (SELECT FROM pg_namespace WHERE nspname = $1)", [.text(schema)]
        ).single().value()
        if isTaken {
            throw Refused.compatView(
                schema, "the schema exists already",
                "the views would stand there, and what is in there may be somebody's",
                "give the migration another name (--name NAME), or drop the schema")
        }
    }

    private func checkTables(on connection: isolated PgConnection) throws {
        let tables = try connection.query(
            """
            SELECT c.oid, c.relrowsecurity, ARRAY(SELECT attname::text FROM pg_attribute
                WHERE attrelid = c.oid AND attacl IS NOT NULL AND attnum > 0 AND NOT attisdropped ORDER BY attnum) AS granted
            FROM pg_class c WHERE c.oid = ANY ($1::oid[]) ORDER BY c.oid
            """, [.array(plan.tables.map { String($0.sourceOID) })])
        for row in tables.rows {
            let oid: UInt32 = try row.get("oid")
            let name = plan.tables.first { $0.sourceOID == oid }?.source.description ?? ""
            let granted: [String] = try row.get("granted")
            if !granted.isEmpty {
                throw Refused.compatView(
                    name, "privileges are granted on some of its columns (\(granted.joined(separator: ", ")))",
                    "whoever has only these could not read a view of all columns",
                    "grant them on the whole table, or leave out --compat-view")
            }
            if try row.get("relrowsecurity", as: Bool.self), connection.serverVersion.major < 15 {
                throw Refused.compatView(
                    name, "it has row-level security, and the server is older than PostgreSQL 15",
                    "a view there reads with its owner's rights, past the policies", "leave out --compat-view")
            }
        }
    }
}

extension Refused {
    static func compatView(_ object: String, _ what: String, _ why: String, _ fix: String) -> Refused {
        Refused([compatViewRefusal(object, what, why, fix)])
    }

    static func compatViewRefusal(_ object: String, _ what: String, _ why: String, _ fix: String) -> Refusal {
        Refusal(code: "compat-view", object: object, what: what, why: why, fix: fix)
    }
}
