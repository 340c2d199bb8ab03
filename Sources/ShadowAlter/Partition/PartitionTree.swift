import PgConnection

/// A partitioned table and everything below it, as the catalogs have it now.
struct PartitionTree: Sendable, Equatable {
    struct Node: Sendable, Equatable {
        var oid: UInt32
        var name: QualifiedName
        /// `pg_class.relkind`: `p` partitioned, `r` a table, `f` a foreign table.
        var kind: String
        /// How far it is from the root, which is 0.
        var depth: Int
        /// nil for the root.
        var parentOID: UInt32?
        /// `FOR VALUES …` or `DEFAULT`; nil for the root.
        var bound: String?
        /// As PARTITION BY takes it; nil for a leaf.
        var key: String?
        /// What holds for every row of it, as far as this tree says; nil when nothing does.
        var constraint: String?
    }

    /// Parents before their partitions.
    let nodes: [Node]
    private let positions: [UInt32: Int]

    private init(_ nodes: [Node]) {
        self.nodes = nodes
        positions = Dictionary(
            nodes.enumerated().map { ($1.oid, $0) }, uniquingKeysWith: { first, _ in first })
    }

    func parent(of node: Node) -> Node? {
        node.parentOID.flatMap { positions[$0] }.map { nodes[$0] }
    }

    var root: Node? { nodes.first }
    var partitioned: [Node] { nodes.filter { $0.kind == "p" } }
    var leaves: [Node] { nodes.filter { $0.kind != "p" } }

    static func read(_ root: UInt32, on connection: isolated PgConnection) throws -> PartitionTree {
        let rows = try connection.query(
            """
            SELECT c.oid, n.nspname, c.relname, c.relkind::text, t.level, nullif(t.parentrelid::oid, 0) AS parent,
                pg_get_expr(c.relpartbound, c.oid) AS bound, pg_get_partkeydef(c.oid) AS key,
                pg_get_partition_constraintdef(c.oid) AS condition
            FROM pg_partition_tree($1::oid::regclass) t JOIN pg_class c ON c.oid = t.relid
            JOIN pg_namespace n ON n.oid = c.relnamespace ORDER BY t.level, c.oid
            """, [.int(root)]
        ).rows
        return PartitionTree(
            try rows.map { row in
                let oid: UInt32 = try row.get("oid")
                return Node(
                    oid: oid, name: QualifiedName(schema: try row.get("nspname"), name: try row.get("relname")),
                    kind: try row.get("relkind"), depth: try row.get("level"),
                    parentOID: oid == root ? nil : try row.optional("parent"), bound: try row.optional("bound"),
                    key: try row.optional("key"), constraint: try row.optional("condition"))
            })
    }
}
