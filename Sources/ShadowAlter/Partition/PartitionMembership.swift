import PgConnection

/// What is known of a table that is one partition (a leaf) of a partitioned table.
struct PartitionMembership: Sendable, Equatable {
    var parent: QualifiedName
    var parentOID: UInt32
    /// The parent's distance from the root of its tree: 0 for the root itself.
    var parentDepth: Int
    /// `FOR VALUES …` or `DEFAULT`, as `ATTACH PARTITION` takes it.
    var bound: String
    /// What holds for every row of the partition, all levels of the tree together, as an expression; nil when nothing does (the only
    /// partition, which is the default one).
    var constraint: String?
    /// The parent's default partition, when there is one and it is not this table.
    var defaultPartition: DefaultPartition?

    /// ATTACH makes sure that none of its rows belongs into the partition that is attached.
    struct DefaultPartition: Sendable, Equatable {
        var oid: UInt32
        var name: QualifiedName
        /// Heaps of all that is below it.
        var bytes: Int64
        /// It and everything below it.
        var locks: [RelationLock]
    }

    /// The name of the CHECK that proves, while nobody uses the new table, that its rows belong where they will be attached.
    static let proof = "shadow_alter_partition"

    /// nil for a table that is no partition.
    static func read(_ oid: UInt32, on connection: isolated PgConnection) throws -> Self? {
        let row = try connection.query(
            """
            SELECT n.nspname, p.relname, p.oid AS parent,
                (SELECT count(*)::int - 1 FROM pg_partition_ancestors(p.oid)) AS depth,
                pg_get_expr(c.relpartbound, c.oid) AS bound, pg_get_partition_constraintdef(c.oid) AS condition,
                nullif(nullif(k.partdefid, c.oid), 0) AS default_partition
            FROM pg_class c JOIN pg_inherits i ON i.inhrelid = c.oid
            JOIN pg_class p ON p.oid = i.inhparent JOIN pg_namespace n ON n.oid = p.relnamespace
            JOIN pg_partitioned_table k ON k.partrelid = p.oid
            WHERE c.oid = $1 AND c.relispartition AND c.relkind = 'r'
            """, [.int(oid)]
        ).first
        guard let row else { return nil }
        let defaultOID: UInt32? = try row.optional("default_partition")
        return Self(
            parent: QualifiedName(schema: try row.get("nspname"), name: try row.get("relname")),
            parentOID: try row.get("parent"), parentDepth: try row.get("depth"), bound: try row.get("bound"),
            constraint: try row.optional("condition"),
            defaultPartition: try defaultOID.map { try defaultPartition($0, on: connection) })
    }

    private static func defaultPartition(
        _ oid: UInt32, on connection: isolated PgConnection
    ) throws -> DefaultPartition {
        let rows = try connection.query(
            """
            SELECT c.oid, n.nspname, c.relname, c.relkind = 'p' AS is_partitioned, coalesce(pg_relation_size(c.oid), 0) AS bytes,
                (SELECT count(*)::int - 1 FROM pg_partition_ancestors(c.oid)) AS depth
            FROM pg_partition_tree($1::oid::regclass) t JOIN pg_class c ON c.oid = t.relid
            JOIN pg_namespace n ON n.oid = c.relnamespace ORDER BY t.level, c.oid
            """, [.int(oid)]
        ).rows
        let locks = try rows.map { row in
            RelationLock(
                oid: try row.get("oid"),
                relation: QualifiedName(schema: try row.get("nspname"), name: try row.get("relname")), kind: .table,
                depth: try row.get("is_partitioned", as: Bool.self) ? try row.get("depth") : nil)
        }
        return DefaultPartition(
            oid: oid, name: locks.first?.relation ?? QualifiedName(schema: "", name: ""),
            bytes: try rows.reduce(0) { $0 + (try $1.get("bytes", as: Int64.self)) }, locks: locks)
    }
}
