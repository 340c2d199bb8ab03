import PgConnection

/// How a materialized view is built over the green tables, or why it cannot be.
enum MaterializedViewPlan: Sendable, Equatable {
    /// Under this name, by a query that means the green tables under this `search_path`.
    case build(QualifiedName, definition: String, path: [String])
    case impossible(String)

    /// - Parameter after: what was tried before, from the tables outwards.
    static func make(
        _ view: MaterializedView, _ query: StoredQuery, _ schemas: TrialSchemas, _ tables: [MigratedTable],
        after: [TriedQuery], on connection: isolated PgConnection
    ) throws -> Self {
        // They are only made in the cut-over, under whose lock nothing can be computed.
        let late = after.first { other in
            other.verdict == .recreated && other.query.kind != .materializedView
                && query.uses.contains { $0.object == other.query.object }
        }
        if let late {
            return .impossible(
                "it is computed from the \(late.query.title), which is made anew in the moment of the cut-over")
        }
        guard let green = tables.first?.green.schema else { return .impossible("no table is migrated") }
        guard let path = try schemas.path(for: Set(query.uses.map(\.object)), on: connection) else {
            return .impossible(TrialSchemas.ambiguous)
        }
        let definition = try view.definition(on: connection)
        let name = QualifiedName(schema: green, name: view.name.name)
        // One that was built before, by the same plan, is the thing itself.
        let taken: String? = try connection.query(
            """
            SELECT c.relname FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace
            WHERE n.nspname = $1 AND (c.relname = $2 AND c.relkind <> 'm' OR c.relname IN (
                    SELECT i.relname FROM pg_index x JOIN pg_class i ON i.oid = x.indexrelid WHERE x.indrelid = $3)
                AND NOT EXISTS (SELECT FROM pg_index y JOIN pg_class m ON m.oid = y.indrelid AND m.relkind = 'm' WHERE y.indexrelid = c.oid))
            ORDER BY 1
            """, [.text(green), .text(view.name.name), .int(view.oid)]
        ).first?.value()
        if let taken {
            return .impossible("the schema \(green), in which it is built, has something else of the name \(taken)")
        }
        // In the other schema it would have the usual one, and be stopped by that on its way back.
        let hasUsualType: Bool = try connection.query(
            """
            SELECT a.typname = ('_' || c.relname)::name FROM pg_class c JOIN pg_type t ON t.oid = c.reltype JOIN pg_type a ON a.oid = t.typarray
            WHERE c.oid = $1
            """, [.int(view.oid)]
        ).single().value()
        guard hasUsualType else {
            return .impossible("beside it there is a table or a type with the name _\(view.name.name)")
        }
        return .build(name, definition: definition, path: [green] + path)
    }
}
