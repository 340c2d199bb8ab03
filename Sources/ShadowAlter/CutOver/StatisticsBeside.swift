import PgConnection

/// The extended statistics that lie in the schema of their relation. SET SCHEMA of the relation leaves them where they are. (One that lies in
/// another schema stays there.)
struct StatisticsBeside: Sendable {
    /// By the relation's name as it is in SQL.
    private let objects: [String: [QualifiedName]]

    static func read(_ relations: [QualifiedName], on connection: isolated PgConnection) throws -> StatisticsBeside {
        let rows = try connection.query(
            """
            SELECT r.name, n.nspname, s.stxname FROM unnest($1::text[]) r (name)
            JOIN pg_statistic_ext s ON s.stxrelid = r.name::regclass JOIN pg_class c ON c.oid = s.stxrelid AND c.relnamespace = s.stxnamespace
            JOIN pg_namespace n ON n.oid = s.stxnamespace ORDER BY s.oid
            """, [.array(relations.map(\.sql))]
        ).rows.map { row in
            (
                try row.get("name", as: String.self),
                [QualifiedName(schema: try row.get("nspname"), name: try row.get("stxname"))]
            )
        }
        return StatisticsBeside(objects: Dictionary(rows, uniquingKeysWith: { $0 + $1 }))
    }

    func of(_ relation: QualifiedName) -> [QualifiedName] { objects[relation.sql] ?? [] }

    func of(_ table: Exchange) -> SwapSQL.Statistics {
        SwapSQL.Statistics(source: of(table.source), green: of(table.green))
    }
}
