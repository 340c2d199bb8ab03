import PgConnection

/// Which relations the cut-over locks, and in which order. Pure.
public struct LockPlan: Sendable, Equatable {
    /// Locked first, one by one, in this order.
    public let views: [RelationLock]
    /// Locked next, all in one statement, in the order of their OIDs: the same order for every migration, so that two never wait for each other.
    /// But partitioned tables come first, from the root downwards: queries lock them before their partitions, whose OIDs may be smaller.
    public let tables: [RelationLock]

    /// Whether all locks but one are on tables that nobody else uses.
    let isSingle: Bool

    /// - Parameter greenOIDs: of the new tables, in the order of `plan.tables`; empty leaves them out, for a plan whose tables are not there.
    init(_ plan: MigrationPlan, greenOIDs: [UInt32] = []) {
        let sources = plan.tables.map { RelationLock(oid: $0.sourceOID, relation: $0.source, kind: .table) }
        let greens = zip(plan.tables, greenOIDs).map {
            RelationLock(oid: $1, relation: $0.green, kind: .table, withPartitions: $0.isPartitioned)
        }
        let parents = plan.parents.map {
            RelationLock(oid: $0.sourceOID, relation: $0.source, kind: .table, depth: $0.depth)
        }
        let others = plan.dependants.flatMap(\.locks)
        var tables: [UInt32: RelationLock] = [:]
        for table in parents + sources + greens + others.filter({ $0.kind == .table })
        where tables[table.oid]?.depth == nil {
            tables[table.oid] = table
        }
        self.tables = tables.values.sorted { ($0.depth ?? .max, $0.oid) < ($1.depth ?? .max, $1.oid) }
        var seen: Set<UInt32> = []
        // Restored from the tables outwards, so that the opposite order begins with the outermost.
        views = plan.dependants.reversed().flatMap(\.locks).filter { $0.kind == .view && seen.insert($0.oid).inserted }
        isSingle = views.isEmpty && self.tables.count == greens.count + 1
    }

    /// The statements that take the locks.
    ///
    /// LOCK TABLE on a view would lock every table that it reads; giving it the owner that it has locks the view alone.
    func statements(owners: [UInt32: String]) -> [String] {
        views.map { view in
            "ALTER TABLE \(view.relation.sql) OWNER TO \(owners[view.oid].map(Quoting.identifier) ?? "CURRENT_USER")"
        }
            + [
                "LOCK TABLE \(tables.map { ($0.withPartitions ? "" : "ONLY ") + $0.relation.sql }.joined(separator: ", ")) IN ACCESS EXCLUSIVE MODE"
            ]
    }

    /// In the order in which they are locked.
    public var all: [RelationLock] { views + tables }
}
