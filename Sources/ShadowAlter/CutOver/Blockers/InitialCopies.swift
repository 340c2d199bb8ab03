import PgConnection

/// Who makes the initial copy of a subscription in this database: a replication connection in a transaction, which has made a slot and with it
/// the snapshot that the copy is read with.
///
/// If the tables were exchanged between the slot and the COPY, this would find the new table by its name and read it with a snapshot from
/// before: rows that were put into it later are missing, and the slot does not send them. Once the COPY has begun, its lock is in our way; before that
/// nothing is, so that this is asked once more under the lock. A slot that is begun then becomes consistent only when our transaction has ended: LOCK TABLE
/// has given it a number (LogAccessExclusiveLockPrepare in src/backend/storage/ipc/standby.c), and the slot waits for every transaction that has one.
///
/// Works without any privilege on `pg_stat_activity`: locks, slots and process numbers are everybody's to see.
struct InitialCopies: Sendable {
    /// What the exchange locks.
    let relations: [UInt32]

    /// One that reads another table already is harmless: it reads no further one.
    func find(on connection: isolated PgConnection) throws -> [Blocker] {
        try connection.query(
            """
            SELECT \(Blocker.columns)
            FROM pg_stat_get_wal_senders() w JOIN pg_stat_activity a ON a.pid = w.pid
            WHERE a.datname = current_database() AND coalesce(a.application_name, '') NOT LIKE 'shadow-alter %'
                AND CASE WHEN w.state IS NOT NULL THEN w.state = 'startup'
                    -- A temporary slot is active as long as its session lives, whether it streams or not.
                    ELSE NOT EXISTS (SELECT FROM pg_replication_slots s
                        WHERE s.active_pid = w.pid AND NOT s.temporary AND s.confirmed_flush_lsn IS NOT NULL) END
                AND EXISTS (SELECT FROM pg_locks l WHERE l.pid = w.pid AND l.locktype = 'virtualxid' AND l.granted)
                AND (NOT EXISTS (SELECT FROM pg_locks l JOIN pg_class c ON c.oid = l.relation
                        JOIN pg_namespace n ON n.oid = c.relnamespace
                        WHERE l.pid = w.pid AND l.locktype = 'relation' AND c.relkind IN ('r', 'p')
                            AND l.database = (SELECT oid FROM pg_database WHERE datname = current_database())
                            AND n.nspname NOT IN ('pg_catalog', 'information_schema', 'pg_toast'))
                    OR EXISTS (SELECT FROM pg_locks l WHERE l.pid = w.pid AND l.locktype = 'relation'
                        AND l.relation IN (SELECT p.relid FROM unnest($1::oid[]) r (oid), pg_partition_tree(r.oid::regclass) p
                            UNION SELECT unnest($1::oid[]))))
            ORDER BY a.pid
            """, [.array(relations.map { String($0) })]
        ).rows.map { try Blocker($0, reason: .initialCopy) }
    }
}

/// A subscription's initial copy was found under the lock.
struct InitialCopyUnderWay: Error {
    let blocker: Blocker
}
