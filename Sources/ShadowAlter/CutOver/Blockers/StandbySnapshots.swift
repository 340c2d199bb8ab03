import PgConnection

/// Whether the cut-over waits for old snapshots on standbys.
public enum StandbySnapshotPolicy: String, Sendable, CaseIterable {
    case wait
    /// For standbys that apply WAL late on purpose, or whose sessions are known not to mind.
    case ignore
}

extension MigrationOptions {
    func waits(for blocker: Blocker) -> Bool { blocker.reason != .standbySnapshot || standbySnapshots == .wait }
}

/// Standbys that feed back a snapshot from before the new table was complete.
///
/// A session there that reads the table for the first time after the exchange has arrived would find rows missing, or all of them, as one on the primary
/// would. The server knows of it where the standby says so (`hot_standby_feedback`): as the snapshot of the walsender, or of the slot that it feeds from, and
/// as the oldest of everything behind that standby. Since when that snapshot is there is not told, so that a transaction of the primary that writes for hours
/// makes every standby's snapshot look old.
///
/// Works without any privilege on `pg_stat_activity`: process numbers, databases, snapshots and slots are everybody's to see.
struct StandbySnapshots: Sendable {
    let migrationID: Int64

    func find(on connection: isolated PgConnection) throws -> [Blocker] {
        try connection.query(
            """
            SELECT \(Blocker.columns), coalesce(a.application_name, '') AS standby,
                extract(epoch FROM clock_timestamp() - m.complete_at)::float8 AS complete_for
            FROM pg_stat_get_wal_senders() w JOIN pg_stat_activity a ON a.pid = w.pid
            LEFT JOIN pg_replication_slots s ON s.active_pid = w.pid AND s.slot_type = 'physical', shadow_alter.migration m
            WHERE m.id = $1 AND a.datid IS NULL AND greatest(age(a.backend_xmin), age(s.xmin)) > age(m.complete_horizon::xid)
            ORDER BY a.pid
            """, [.int(migrationID)]
        ).rows.map { row in
            var blocker = try Blocker(row, reason: .standbySnapshot)
            blocker.application = try row.get("standby")
            blocker.transactionSeconds = try row.get("complete_for")
            // START_REPLICATION.
            blocker.queryStart = nil
            return blocker
        }
    }
}
