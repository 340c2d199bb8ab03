import PgConnection

/// What the state tables know of a migration.
struct MigrationRecord: Sendable {
    let id: Int64
    let plan: MigrationPlan
    var phase: Phase
    /// The name that the slot and the publication share.
    let streamName: String
    var tables: [TableRecord]
    /// Whether nothing is left to be done after the exchange (`Dependant.settle`).
    var isSettled: Bool
    /// Of a way back: the migration whose way back it is. It goes from the new tables, which are live, to the old ones.
    var forwardID: Int64?

    var isWayBack: Bool { forwardID != nil }

    var name: String { plan.name }
}

/// What the state tables know of one table of a migration.
struct TableRecord: Sendable {
    let id: Int64
    let plan: TablePlan
    let greenOID: UInt32
    /// The physical file that the chunk list was made for, and its size; nil before the first chunk list.
    var file: SourceFile?

    var spool: QualifiedName { StateSchema.spool(tableID: id) }
    /// Where rows of the old table leave what they keep while they are replaced (`KeptSQL`).
    var kept: QualifiedName { StateSchema.kept(tableID: id) }
    var suspects: QualifiedName { StateSchema.suspects(tableID: id) }
    /// Of a way back only.
    var parked: QualifiedName { StateSchema.parked(tableID: id) }
}

/// A table's main fork as it was at one time.
struct SourceFile: Sendable, Equatable {
    /// `pg_relation_filenode`: another one means that every row has moved.
    let filenode: UInt32
    let pages: Int64
}
