import PgConnection

/// One batch of refresh, inside the caller's transaction: takes keys out of the spool and brings the shadow's rows up to date.
struct RefreshBatch: Sendable {
    struct Result: Sendable, Equatable {
        /// The last sequence number that was looked at; nil when nothing was spooled beyond the start.
        var through: Int64?
        /// Spooled keys looked at.
        var examined = 0
        /// Spooled keys settled; fewer than examined where a writer is not visible yet, or rows had to yield.
        var settled = 0
        /// The shadow's rows that were deleted or written: what the batch costs, however often their keys were spooled.
        var rows = 0
        /// The sequence numbers of the spooled keys whose rows had to yield, and which stay spooled.
        var yielded: Set<Int64> = []
    }

    enum Mode: Sendable {
        /// Update what is there. A hot row's new versions stay on its page and out of the indexes that do not change.
        case updating
        /// Delete the batch's rows first, so that values may have moved between rows of the batch.
        case replacing
        /// The same, but a row that conflicts with one outside of the batch is left out, and its key stays in the spool.
        ///
        /// Not where a unique or exclusion constraint is deferrable: PostgreSQL cannot skip its conflicts.
        case yielding
    }

    /// Whether rows of this table can yield.
    static func mayYield(_ table: TableRecord, on connection: isolated PgConnection) throws -> Bool {
        try connection.query(
            "SELECT NOT EXISTS (SELECT FROM pg_index WHERE indrelid = $1 AND NOT indimmediate)", [.int(table.greenOID)]
        ).single().value()
    }

    let sql: RefreshSQL
    let tableID: Int64
    /// Of a way back: where keys wait whose rows could not go back when they were looked at last.
    private let parked: QualifiedName?

    init(_ record: TableRecord, parks: Bool = false) {
        sql = RefreshSQL(record)
        tableID = record.id
        parked = parks ? record.parked : nil
    }

    /// Of the keys that wait for their rows to change.
    init(parkedOf record: TableRecord) {
        sql = RefreshSQL(table: record.plan, spool: record.parked, kept: record.kept)
        tableID = record.id
        parked = nil
    }

    /// Settles up to `limit` spooled keys after `after`.
    ///
    /// - Parameter isLocked: the caller holds ACCESS EXCLUSIVE on the source. Whoever wrote to it released its lock only after having
    ///   become visible, so that there is nothing to check.
    func run(
        after: Int64, limit: Int, mode: Mode, isLocked: Bool = false, on connection: isolated PgConnection
    ) throws -> Result {
        let spool = sql.spool.sql
        let row = try connection.query(
            """
            SELECT t.truncated_at, w.through, w.examined, pg_current_snapshot()::text AS snapshot
            FROM shadow_alter.migrated_table t,
                (SELECT max(seq) AS through, count(*) AS examined
                 FROM (SELECT seq FROM \(spool) WHERE seq > $2 ORDER BY seq LIMIT $3) AS head) w
            WHERE t.id = $1
            """, [.int(tableID), .int(after), .int(limit)]
        ).single()
        if let truncatedAt: Int64 = try row.optional("truncated_at") {
            try applyTruncation(truncatedAt, on: connection)
            return try run(after: after, limit: limit, mode: mode, isLocked: isLocked, on: connection)
        }
        guard let through: Int64 = try row.optional("through") else { return Result() }
        let window = SpoolWindow(after: after, through: through, snapshot: isLocked ? nil : try row.get("snapshot"))
        var rows = 0
        for statement in sql.statements(window, mode: mode) { rows += try connection.execute(statement).affectedRows }
        let yielded: Set<Int64> =
            mode == .yielding ? Set(try connection.execute(sql.missing(window)).rows.map { try $0.value() }) : []
        if let parked {
            try connection.execute(ParkedSQL.release(sql.table, named: sql.spool, window, from: parked))
        }
        // The statements have locked what they have read; the cut-over has compared what it has locked.
        if !isLocked { try SourceIdentity(plan: sql.table).check(on: connection) }
        let settled = try connection.execute(SpoolSQL.delete(sql.spool, window, except: yielded)).affectedRows
        return Result(
            through: through, examined: try row.get("examined"), settled: settled, rows: rows, yielded: yielded)
    }

    /// In the batch's own transaction.
    func note(_ result: Result, on connection: isolated PgConnection) throws {
        guard result.settled > 0 else { return }
        try connection.query(
            "UPDATE shadow_alter.migrated_table SET keys_refreshed = keys_refreshed + $2 WHERE id = $1",
            [.int(tableID), .int(result.settled)])
    }

    /// The source was emptied: so is the shadow. What was spooled before is settled by that; everything that is in the source now came
    /// later, and its key is in the spool after this point.
    private func applyTruncation(_ sequence: Int64, on connection: isolated PgConnection) throws {
        try connection.execute("TRUNCATE \(sql.table.green.sql)")
        if let kept = sql.kept { try connection.execute(kept.empty) }
        if let parked { try connection.execute("DELETE FROM \(parked.sql)") }
        try connection.query("DELETE FROM \(sql.spool.sql) WHERE seq <= $1", [.int(sequence)])
        try connection.query(
            "UPDATE shadow_alter.migrated_table SET truncated_at = NULL WHERE id = $1 AND truncated_at = $2",
            [.int(tableID), .int(sequence)])
        try Failpoint.truncationApplied.pass()
    }
}
