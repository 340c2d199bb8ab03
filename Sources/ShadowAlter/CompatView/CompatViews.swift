import PgConnection

/// The views of the other shapes: that of the new one from the plan until the exchange, that of the old one from the exchange until `finalize` or the
/// exchange back.
enum CompatViews {
    /// What makes those that the exchange makes, once the new tables have their names.
    static func statements(_ record: MigrationRecord, on connection: isolated PgConnection) throws -> [String] {
        try statements(
            record.plan, greenOIDs: record.tables.map(\.greenOID), on: connection
        ) { !$0.goesWithExchange }
    }

    /// Makes those that go with the exchange, and returns the plan with them among what hangs on the tables.
    ///
    /// Takes ACCESS SHARE on the live tables. Throws `Refused` where PostgreSQL does not accept them.
    static func createBeforeExchange(
        _ plan: MigrationPlan, greenOIDs: [UInt32], on connection: isolated PgConnection
    ) throws -> MigrationPlan {
        let statements = try statements(plan, greenOIDs: greenOIDs, on: connection) { $0.goesWithExchange }
        guard !statements.isEmpty else { return plan }
        do {
            for statement in statements { try connection.execute(statement) }
        } catch let error as PgError where !error.isConnectionLoss && error.sqlState != .lockNotAvailable {
            throw Refused.compatView(
                CompatView.new.schema(of: plan.name), "PostgreSQL does not take the views of the new shape",
                "PostgreSQL says: \(error.message)\(error.hint.map { " (\($0))" } ?? "")", "leave out --compat-view new"
            )
        }
        var plan = plan
        plan.dependants += try CompatViewReader().read(
            MigratedTable.all(of: plan, greenOIDs: greenOIDs, on: connection), on: connection)
        try setPath(plan.searchPath, on: connection)
        return plan
    }

    /// They leave an empty `search_path`.
    private static func statements(
        _ plan: MigrationPlan, greenOIDs: [UInt32], on connection: isolated PgConnection,
        where isWanted: (CompatShape) -> Bool
    ) throws -> [String] {
        let shapes = zip(plan.tables, greenOIDs).flatMap { table, greenOID in
            table.compat.filter(isWanted).map { (shape: $0, sourceOID: table.sourceOID, greenOID: greenOID) }
        }
        guard let schema = shapes.first?.shape.view.schema else { return [] }
        try setPath("", on: connection)
        let views = try shapes.map { shape, sourceOID, greenOID in
            CompatSQL(
                shape: shape,
                facts: try CompatFacts.read(shape, sourceOID: sourceOID, greenOID: greenOID, on: connection))
        }
        let path = "SELECT pg_catalog.set_config('search_path', "
        return CompatSQL.createSchema(schema, for: views.map(\.facts))
            + [path + Quoting.literal(plan.searchPath) + ", true)"]
            + views.flatMap(\.create) + [path + "'', true)"]
    }

    private static func setPath(_ path: String, on connection: isolated PgConnection) throws {
        try connection.query("SELECT set_config('search_path', $1, true)", [.text(path)])
    }

    /// A view that is there.
    struct Present: Sendable {
        let shape: CompatShape
        let oid: UInt32
    }

    /// Those of the shapes that are there, by their names, which only they can have.
    static func present(_ shapes: [CompatShape], on connection: isolated PgConnection) throws -> [Present] {
        try shapes.compactMap { shape in
            let row = try connection.query(
                """
                SELECT c.oid FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace
                WHERE n.nspname = $1 AND c.relname = $2 AND c.relkind = 'v'
                """, [.text(shape.view.schema), .text(shape.view.name)]
            ).first
            return try row.map { Present(shape: shape, oid: try $0.value()) }
        }
    }
}

extension MigrationPlan {
    /// The views that the exchange takes away.
    var leavingShapes: [CompatShape] { compatShapes.filter(\.goesWithExchange) }
}
