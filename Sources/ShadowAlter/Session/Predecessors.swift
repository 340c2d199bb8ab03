import Logging
import PgConnection

/// The sessions of a run that has died, as far as the server has not noticed it yet: they build an index, copy a chunk, or commit an exchange.
///
/// What they are doing may still be committed. A run that went on beside them would copy the same pages, or build the same index, once more.
struct Predecessors: Sendable {
    let record: MigrationRecord
    let log: Logger

    /// How long those of other roles are waited for, which only these roles may end. The server notices a lost program earlier (`SessionRole`).
    var patience = Duration.seconds(120)

    private static let interval = Duration.milliseconds(50)

    private struct Session: Sendable {
        let pid: Int32
        let role: String
    }

    /// Ends them, and returns when the last of them is gone: from then on what is recorded is what has happened.
    ///
    /// To be called with the tables' locks (`TableLock`), so that nobody else is at work on the migration.
    ///
    /// - Throws: `alreadyRunning` when one that may not be ended is still there after `patience`.
    func end(on control: PgConnection) async throws {
        let start = ContinuousClock.now
        var told: Set<Int32> = []
        var foreign: Set<Int32> = []
        while true {
            let sessions = try await control.run { try find(on: $0) }
            if sessions.isEmpty { return }
            for session in sessions {
                if told.insert(session.pid).inserted {
                    log.notice("session \(session.pid) of a run before this one is still at work: ending it")
                }
                do {
                    try await control.query("SELECT pg_terminate_backend($1::int)", [.int(session.pid)])
                } catch let error as PgError where error.sqlState == .insufficientPrivilege {
                    if foreign.insert(session.pid).inserted {
                        log.warning("\(Self.text(session)); waiting for its end")
                    }
                }
            }
            if let session = sessions.first(where: { foreign.contains($0.pid) }),
                ContinuousClock.now - start >= patience
            {
                throw stays(session)
            }
            try await Task.sleep(for: Self.interval)
        }
    }

    private static func text(_ session: Session) -> String {
        "session \(session.pid) of a run before this one is still at work, and belongs to the role \(session.role), whose sessions this one's role may not end"
    }

    private func stays(_ session: Session) -> MigrationError {
        MigrationError(
            .alreadyRunning, "\(Self.text(session)); it did not end within \(DurationText(patience))",
            state:
                "migration \(record.name) is as that run has left it, and what the session is doing may still be committed; nothing was changed by this one",
            advice:
                "end the program that it belongs to, or let \(session.role), a member of pg_signal_backend or a superuser (of a superuser's session: only a superuser) do `SELECT pg_terminate_backend(\(session.pid))`; then the same command again"
        )
    }

    /// By the locks that they hold or wait for, on the tables and on what a migration has beside them (whoever only looks has no other than ACCESS SHARE);
    /// and who has the slot, which would be kept for `wal_sender_timeout` by a client that does not answer.
    private func find(on connection: isolated PgConnection) throws -> [Session] {
        guard try StateSchema.exists(on: connection) else { return [] }
        return try connection.query(
            """
            WITH own AS (
                SELECT t.id, t.source_oid, t.green_oid FROM shadow_alter.migration m
                JOIN shadow_alter.migrated_table t ON t.migration_id = m.id WHERE m.id = $1 OR m.forward_id = $1)
            SELECT a.pid, a.usename FROM pg_locks l JOIN pg_stat_activity a ON a.pid = l.pid
            WHERE l.locktype = 'relation' AND l.mode <> 'AccessShareLock'
                AND l.database = (SELECT oid FROM pg_database WHERE datname = current_database())
                AND l.relation IN (
                    SELECT source_oid FROM own UNION SELECT green_oid FROM own
                    UNION SELECT to_regclass(format('shadow_alter.%s_%s', kind, id))::oid
                    FROM own, unnest(ARRAY['spool', 'suspect', 'parked', 'kept']) AS kind)
                AND a.application_name LIKE 'shadow-alter %' AND a.pid <> pg_backend_pid()
            UNION SELECT s.active_pid, a.usename FROM pg_replication_slots s LEFT JOIN pg_stat_activity a ON a.pid = s.active_pid
            WHERE s.slot_name = $2 AND s.active_pid IS NOT NULL
            """, [.int(record.id), .text(record.streamName)]
        ).rows.map { Session(pid: try $0.get("pid"), role: try $0.optional("usename") ?? "unknown") }
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
