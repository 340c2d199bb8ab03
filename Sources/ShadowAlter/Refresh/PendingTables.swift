import PgConnection

/// Asks which tables of a migration have something to be refreshed, by one statement for all of them, which the session keeps.
struct PendingTables: Sendable {
    struct Pending: Sendable {
        let table: TableRecord
        /// The source was emptied since the last refresh.
        let isTruncated: Bool
    }

    private let migrationID: Int64
    private let tables: [Int64: TableRecord]

    init(_ record: MigrationRecord) {
        migrationID = record.id
        tables = Dictionary(record.tables.map { ($0.id, $0) }, uniquingKeysWith: { $1 })
    }

    private static let name = "shadow_alter_pending"

    /// Once in a session.
    func prepare(on connection: isolated PgConnection) throws {
        // In the order of the index, at whose beginning entries that are dead have been marked so.
        let spools = tables.values.sorted { $0.id < $1.id }.map {
            "(SELECT \($0.id)::bigint FROM \($0.spool.sql) WHERE seq > 0 ORDER BY seq LIMIT 1)"
        }
        try connection.execute(
            """
            PREPARE \(Self.name) AS SELECT id, truncated_at IS NOT NULL AS truncated FROM shadow_alter.migrated_table
            WHERE migration_id = \(migrationID) AND (truncated_at IS NOT NULL OR id IN (\(spools.joined(separator: " UNION ALL "))))
            ORDER BY position
            """)
    }

    func ask(on connection: isolated PgConnection) throws -> [Pending] {
        try connection.queryPrepared(Self.name).rows.compactMap { row in
            let isTruncated: Bool = try row.get("truncated")
            return tables[try row.get("id")].map { Pending(table: $0, isTruncated: isTruncated) }
        }
    }
}
