import PgConnection

/// An old table that is still there.
struct BlueTable: Sendable, Equatable {
    var oid: UInt32
    var name: QualifiedName
    var isPartitioned: Bool
    var isPartition: Bool
    /// How far it is below the uppermost old table.
    var depth: Int

    /// The tables that the cut-over moved out of the way, and their partitions, the lowest first.
    ///
    /// By their numbers, which they have kept: a table of somebody's that has taken a name of theirs meanwhile is not among them.
    static func read(_ record: MigrationRecord, on connection: isolated PgConnection) throws -> [BlueTable] {
        try connection.query(
            """
            WITH RECURSIVE old (oid, depth) AS (
                SELECT c.oid, 0 FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace
                WHERE c.oid = ANY ($1::oid[]) AND c.relkind IN ('r', 'p') AND n.nspname = $2
                UNION SELECT i.inhrelid, o.depth + 1 FROM old o JOIN pg_inherits i ON i.inhparent = o.oid
                JOIN pg_class c ON c.oid = i.inhrelid AND c.relispartition)
            SELECT c.oid, n.nspname, c.relname, c.relkind = 'p' AS partitioned, c.relispartition, max(o.depth) AS depth
            FROM old o JOIN pg_class c ON c.oid = o.oid JOIN pg_namespace n ON n.oid = c.relnamespace
            GROUP BY c.oid, n.nspname, c.relname, c.relkind, c.relispartition ORDER BY max(o.depth) DESC, c.oid
            """,
            [.array(record.plan.exchanges.map { String($0.sourceOID) }), .text(record.plan.blueSchema)]
        ).rows.map { row in
            BlueTable(
                oid: try row.get("oid"),
                name: QualifiedName(schema: try row.get("nspname"), name: try row.get("relname")),
                isPartitioned: try row.get("partitioned"), isPartition: try row.get("relispartition"),
                depth: try row.get("depth"))
        }
    }
}

/// What one transaction of `finalize` drops. PostgreSQL unlinks its files when that has committed, and a standby when it replays the commit.
struct BluePiece: Sendable, Equatable {
    /// As a person would say it.
    var title: String
    var statement: String
    /// What it locks.
    var relations: [UInt32]
}

/// The order in which old tables go.
enum BluePieces {
    /// A table that is no larger than this, with its indexes, goes as a whole. A segment of a relation has as much.
    static let size: Int64 = 1 << 30

    /// The next piece; nil when no old table is left. Read anew each time, so that it does not matter what was dropped before, and by whom.
    ///
    /// Foreign keys between old tables go first, so that the tables can go in any order. A large table's indexes go one by one. A partition goes as a
    /// whole: PostgreSQL drops an index of its parent's together with those of all partitions, or not at all.
    ///
    /// - Parameter large: the tables whose indexes go one by one.
    static func next(
        _ record: MigrationRecord, of occasion: RemovalOccasion = .finalize, large: Set<UInt32>,
        on connection: isolated PgConnection
    ) throws -> BluePiece? {
        let tables = try BlueTable.read(record, on: connection)
        if let piece = try foreignKey(tables, occasion, on: connection) { return piece }
        guard let table = tables.first else { return nil }
        if large.contains(table.oid), let piece = try index(of: table, occasion, on: connection) { return piece }
        return BluePiece(
            title: occasion.title(table.name), statement: "DROP TABLE \(table.name.sql)", relations: [table.oid])
    }

    private static func foreignKey(
        _ tables: [BlueTable], _ occasion: RemovalOccasion, on connection: isolated PgConnection
    ) throws -> BluePiece? {
        let row = try connection.query(
            """
            SELECT conname, conrelid, confrelid FROM pg_constraint
            WHERE contype = 'f' AND conparentid = 0 AND conrelid = ANY ($1::oid[]) AND confrelid = ANY ($1::oid[]) ORDER BY oid LIMIT 1
            """, [.array(tables.map { String($0.oid) })]
        ).first
        guard let row, let table = try tables.first(where: { try $0.oid == row.get("conrelid") }) else { return nil }
        let name: String = try row.get("conname")
        return BluePiece(
            title: "the foreign key \(name) of \(occasion.title(table.name))",
            statement: "ALTER TABLE \(table.name.sql) DROP CONSTRAINT \(Quoting.identifier(name))",
            relations: [table.oid, try row.get("confrelid")])
    }

    private static func index(
        of table: BlueTable, _ occasion: RemovalOccasion, on connection: isolated PgConnection
    ) throws -> BluePiece? {
        let row = try connection.query(
            """
            SELECT c.relname, k.conname FROM pg_index i JOIN pg_class c ON c.oid = i.indexrelid
            LEFT JOIN pg_constraint k ON k.conrelid = i.indrelid AND k.conindid = i.indexrelid AND k.contype IN ('p', 'u', 'x')
            WHERE i.indrelid = $1 ORDER BY c.oid DESC LIMIT 1
            """, [.int(table.oid)]
        ).first
        guard let row else { return nil }
        let index = QualifiedName(schema: table.name.schema, name: try row.get("relname"))
        let constraint: String? = try row.optional("conname")
        return BluePiece(
            title: "the index \(index.name) of \(occasion.title(table.name))",
            statement: constraint.map { "ALTER TABLE \(table.name.sql) DROP CONSTRAINT \(Quoting.identifier($0))" }
                ?? "DROP INDEX \(index.sql)",
            relations: [table.oid])
    }
}
