import PgConnection

/// Looks who is in the way, without asking for any lock.
struct BlockerFinder: Sendable {
    /// Everything that will be locked, without the partitions of those that are partitioned, and without the sequences of columns.
    let relations: [UInt32]
    /// nil where no copy is involved.
    let migrationID: Int64?
    /// A transaction that has held a lock for less than this is expected to end by itself within an attempt.
    let patience: Duration

    func find(on connection: isolated PgConnection) throws -> [Blocker] {
        let holders = try lockHolders(on: connection) + preparedHolders(on: connection)
        guard let migrationID else { return holders }
        return try holders + oldSnapshots(migrationID, on: connection)
            + InitialCopies(relations: relations).find(on: connection)
            + StandbySnapshots(migrationID: migrationID).find(on: connection)
    }

    /// What will be locked, with the partitions and the sequences of columns; `$1` are the relations.
    private static let locked = """
        SELECT unnest($1::oid[])
        UNION SELECT p.relid FROM unnest($1::oid[]) r (oid), pg_partition_tree(r.oid) p
        UNION SELECT d.objid FROM pg_depend d JOIN pg_class s ON s.oid = d.objid AND s.relkind = 'S'
            WHERE d.classid = 'pg_class'::regclass AND d.refclassid = 'pg_class'::regclass
                AND d.refobjid = ANY ($1::oid[]) AND d.refobjsubid > 0 AND d.deptype IN ('a', 'i')
        """

    private static let granted = """
        SELECT pid, virtualtransaction,
            string_agg(DISTINCT mode || ' on ' || relation::regclass, ', ' ORDER BY mode || ' on ' || relation::regclass) AS holds
        FROM pg_locks
        WHERE locktype = 'relation' AND granted AND relation IN (\(locked))
            AND database = (SELECT oid FROM pg_database WHERE datname = current_database())
        GROUP BY pid, virtualtransaction
        """

    /// Autovacuum is named whatever its age: it gives way only to a request that waits for `deadlock_timeout`, longer than an attempt, and
    /// not at all when it works against wraparound.
    private func lockHolders(on connection: isolated PgConnection) throws -> [Blocker] {
        try connection.query(
            """
            SELECT \(Blocker.columns), l.holds
            FROM (\(Self.granted)) l JOIN pg_stat_activity a ON a.pid = l.pid
            WHERE a.application_name NOT LIKE 'shadow-alter %'
                AND (a.backend_type = 'autovacuum worker'
                    OR clock_timestamp() - a.xact_start > make_interval(secs => $2::float8))
            ORDER BY seconds DESC
            """, [.array(relations.map { String($0) }), .double(patience.seconds)]
        ).rows.map { try Blocker($0, reason: .lock, holds: $0.get("holds")) }
    }

    /// A prepared transaction keeps the virtual number of the session that began it (since PostgreSQL 14), so that only the lock on its own
    /// number leads to its name.
    private func preparedHolders(on connection: isolated PgConnection) throws -> [Blocker] {
        try connection.query(
            """
            SELECT coalesce(p.owner::text, '') AS owner, coalesce(p.gid, '') AS gid, p.prepared::text AS prepared,
                coalesce(extract(epoch FROM clock_timestamp() - p.prepared), 0)::float8 AS seconds, l.holds
            FROM (\(Self.granted)) l
            LEFT JOIN pg_locks own ON own.pid IS NULL AND own.locktype = 'transactionid' AND own.granted
                AND own.virtualtransaction = l.virtualtransaction
            LEFT JOIN pg_prepared_xacts p ON p.transaction = own.transactionid
            WHERE l.pid IS NULL ORDER BY seconds DESC
            """, [.array(relations.map { String($0) })]
        ).rows.map { row in
            Blocker(
                pid: nil, reason: .lock, user: try row.get("owner"), application: "", state: try row.get("gid"),
                holds: try row.get("holds"), sessionStart: nil, transactionStart: try row.optional("prepared"),
                queryStart: nil, transactionSeconds: try row.get("seconds"),
                protection: "it is a prepared transaction: COMMIT PREPARED or ROLLBACK PREPARED ends it")
        }
    }

    /// A REPEATABLE READ transaction that began before the new table was complete does not see all rows in it. READ COMMITTED ones hold a
    /// snapshot only while a statement runs.
    ///
    /// Of another role's session we see when it began only as a member of `pg_read_all_stats`, and of nobody's where `track_activities` is off; the snapshot's age
    /// is shown to everybody. Then that alone decides. Autovacuum, which has no user, keeps a snapshot for as long as it works, and reads no row with it.
    private func oldSnapshots(_ id: Int64, on connection: isolated PgConnection) throws -> [Blocker] {
        try connection.query(
            """
            SELECT \(Blocker.columns)
            FROM pg_stat_activity a, shadow_alter.migration m
            WHERE m.id = $1 AND a.datname = current_database()
              AND (a.backend_type = 'client backend' OR a.backend_type IS NULL AND a.usesysid IS NOT NULL)
              AND coalesce(a.application_name, '') NOT LIKE 'shadow-alter %'
              AND a.backend_xmin IS NOT NULL AND age(a.backend_xmin) > age(m.complete_horizon::xid)
              AND (a.xact_start <= m.complete_at OR a.xact_start IS NULL)
            """, [.int(id)]
        ).rows.map { try Blocker($0, reason: .oldSnapshot) }
    }
}

extension BlockerFinder {
    /// Who is in the way of this migration's cut-over.
    init(_ record: MigrationRecord, patience: Duration, on connection: isolated PgConnection) throws {
        let partitions = try record.tables.filter(\.plan.isPartitioned).flatMap { table in
            try Arrivals.read(table, on: connection).partitions.map(\.oid)
        }
        let locks = LockPlan(record.plan, greenOIDs: record.tables.map(\.greenOID)).all.map(\.oid)
        self.init(relations: locks + partitions, migrationID: record.id, patience: patience)
    }
}
