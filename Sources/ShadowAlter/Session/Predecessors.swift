import Logging
import PgConnection

/// The sessions of a run that has died, as far as the server has not noticed it yet: they build an index, copy a chunk, or commit an exchange.
///
/// What they are doing may still be committed. A run that went on beside them would copy the same pages, or build the same index, once more.
struct Predecessors: Sendable {
    let record: MigrationRecord
    let log: Logger

    private static let interval = Duration.milliseconds(50)

    /// Ends them, and returns when the last of them is gone: from then on what is recorded is what has happened.
    ///
    /// To be called with the tables' locks (`TableLock`), so that nobody else is at work on the migration.
    func end(on control: PgConnection) async throws {
        var told: Set<Int32> = []
        while true {
            let sessions = try await control.run { try find(on: $0) }
            if sessions.isEmpty { return }
            for pid in sessions {
                if told.insert(pid).inserted {
                    log.notice("session \(pid) of a run before this one is still at work: ending it")
                }
                do {
                    try await control.query("SELECT pg_terminate_backend($1::int)", [.int(pid)])
                } catch let error as PgError where error.sqlState == .insufficientPrivilege {
                    // Another role's. It ends when it notices that its program is gone.
                }
            }
            try await Task.sleep(for: Self.interval)
        }
    }

    /// By the locks that they hold or wait for, on the tables and on what a migration has beside them (whoever only looks has no other than ACCESS SHARE);
    /// and who has the slot, which would be kept for `wal_sender_timeout` by a client that does not answer.
    private func find(on connection: isolated PgConnection) throws -> [Int32] {
        guard try StateSchema.exists(on: connection) else { return [] }
        return try connection.query(
            """
            WITH own AS (
                SELECT t.id, t.source_oid, t.green_oid FROM shadow_alter.migrated_table t
                JOIN shadow_alter.migration m ON m.id = t.migration_id WHERE m.id = $1 OR m.forward_id = $1)
            SELECT a.pid FROM pg_locks l JOIN pg_stat_activity a ON a.pid = l.pid
            WHERE l.locktype = 'relation' AND l.mode <> 'AccessShareLock'
                AND l.database = (SELECT oid FROM pg_database WHERE datname = current_database())
                AND l.relation IN (
                    SELECT source_oid FROM own UNION SELECT green_oid FROM own
                    UNION SELECT to_regclass(format('shadow_alter.%s_%s', kind, id))::oid
                    FROM own, unnest(ARRAY['spool', 'suspect', 'parked', 'kept']) AS kind)
                AND a.application_name LIKE 'shadow-alter %' AND a.pid <> pg_backend_pid()
            UNION SELECT active_pid FROM pg_replication_slots WHERE slot_name = $2 AND active_pid IS NOT NULL
            """, [.int(record.id), .text(record.streamName)]
        ).rows.map { try $0.value() }
    }
}

extension PgConnection {
    /// Ends another session, ours, that may be committing something, and returns when it is gone: from then on the catalogs say what has become of it.
    func waitForEnd(ofSession pid: Int32) async throws {
        while true {
            // A session that is committing ends only when it has done so.
            let isThere: Bool = try query(
                """
                SELECT count(pg_terminate_backend(pid)) > 0 FROM pg_stat_activity
                WHERE pid = $1 AND application_name LIKE 'shadow-alter %'
                """, [.int(pid)]
            ).single().value()
            guard isThere else { return }
            try await Task.sleep(for: .milliseconds(20))
        }
    }
}
