import PgConnection
import PgOutput
import PgReplication

/// Reads where migrations stand from the state tables and the catalogs: also when no run is alive.
public struct StatusReader: Sendable {
    let connections: ConnectionOptions

    public init(connections: ConnectionOptions) {
        self.connections = connections
    }

    /// Throws `notFound` when there is no migration of this name.
    public func status(of name: String) async throws -> MigrationStatus {
        try await withConnection { connection in
            guard let status = try await read(name, on: connection) else { throw MigrationError.notFound(name) }
            return status
        }
    }

    /// All migrations of the database, oldest first.
    public func list() async throws -> [MigrationStatus] {
        try await withConnection { connection in
            var all: [MigrationStatus] = []
            for name in try await connection.run({ try StateStore.names(on: $0) }) {
                if let status = try await read(name, on: connection) { all.append(status) }
            }
            return all
        }
    }

    private func withConnection<Value>(_ body: (PgConnection) async throws -> Value) async throws -> Value {
        try await PgConnection.connect(connections, for: .control).closing(after: body)
    }

    private func read(_ name: String, on connection: PgConnection) async throws -> MigrationStatus? {
        try await Self.read(name, on: connection, live: nil)
    }

    /// - Parameter live: what the run itself knows, when it is this process's.
    static func read(
        _ name: String, on connection: PgConnection, live: StatusBox.Snapshot?
    ) async throws -> MigrationStatus? {
        guard let record = try await connection.run({ try StateStore.look(name, on: $0) }) else { return nil }
        let slot = try await ReplicationSlot.find(name: record.streamName, on: connection)
        do {
            return try await connection.run { try status(record, slot: slot, live, on: $0) }
        } catch let error as PgError where error.sqlState?.isAboutAMissingObject == true {
            // Somebody has ended it between two questions.
            return nil
        } catch is Vanished {
            return nil
        }
    }

    /// The migration's rows are gone from the state tables.
    private struct Vanished: Error {}

    /// Keys are counted up to here, so that a status costs little however many wait: one more means more.
    public static let countedKeys: Int64 = 1_000_000

    private static func status(
        _ record: MigrationRecord, slot: ReplicationSlot.Status?, _ live: StatusBox.Snapshot?,
        on connection: isolated PgConnection
    ) throws -> MigrationStatus {
        let row = try connection.query(
            """
            SELECT started_at::text, extract(epoch FROM coalesce(ended_at, clock_timestamp()) - started_at)::float8 AS elapsed, message, condition, reason,
                phase_eta, eta, extract(epoch FROM clock_timestamp() - eta_at)::float8 AS eta_age,
                cut_over_attempts, cut_over_last_error, cut_over_last_hold_ms, cut_over_longest_wait_ms,
                (SELECT pg_wal_lsn_diff(pg_current_wal_lsn(), $2::pg_lsn)::bigint) AS lag
            FROM shadow_alter.migration WHERE id = $1
            """, [.int(record.id), .text(slot?.confirmedFlushLSN?.description)]
        ).first
        guard let row else { throw Vanished() }
        var tables = try record.tables.map { try table($0, record.phase, countsKeys: live == nil, on: connection) }
        let wayBack = record.phase == .baking ? try StateStore.wayBack(of: record.id, on: connection) : nil
        var obstacle: String?
        if record.phase == .baking {
            obstacle = try StateStore.rollbackObstacle(of: record.id, on: connection)
            // The keys that wait are the way back's.
            for (index, back) in (wayBack?.tables ?? []).enumerated() {
                let following = try table(back, .baking, countsKeys: live == nil, on: connection)
                tables[index].spooled = following.spooled
                tables[index].refreshed += following.refreshed
            }
        }
        let isAlive = try TableLock.owner(of: record.tables, on: connection) != nil
        let message: String = try row.get("message")
        let (condition, reason): (MigrationStatus.Condition, String?) =
            if let live {
                (live.condition, live.currentReason)
            } else if record.phase.isAfterSwap && record.phase != .baking {
                (.running, nil)
            } else if let loss = try loss(record, slot, message, on: connection) {
                (.failed, loss)
            } else if isAlive {
                (.init(rawValue: try row.get("condition")) ?? .running, try row.optional("reason"))
            } else {
                (.paused, "no run is alive; the same command continues it")
            }
        // What was estimated a second ago is over once the table is ready.
        let known = record.phase < .ready ? live?.estimate : nil
        let estimate = try known ?? estimate(row, of: record.phase, isAlive: isAlive)
        return MigrationStatus(
            name: record.name, phase: record.phase, condition: condition, reason: reason,
            ready: record.phase == .ready || record.phase == .cuttingOver, tables: tables.map(\.status),
            dirtyKeysSpooled: live?.spooledKeys
                ?? min(tables.reduce(0) { $0 + $1.spooled }, countedKeys + 1),
            keysRefreshed: tables.reduce(0) { $0 + $1.refreshed },
            streamLagBytes: try row.optional("lag"), retainedWALBytes: slot?.retainedBytes,
            cutOver: MigrationStatus.CutOver(
                attempts: try row.get("cut_over_attempts"), lastError: try row.optional("cut_over_last_error"),
                lastHoldMs: try row.optional("cut_over_last_hold_ms"),
                longestWaitMs: try row.optional("cut_over_longest_wait_ms")),
            blockers: try blockers(wayBack ?? record, steeredAs: record.id, on: connection),
            verify: try verification(record, wayBack, live, on: connection), startedAt: try row.get("started_at"),
            elapsedSeconds: try row.get("elapsed"), etaSeconds: estimate.total, phaseEtaSeconds: estimate.phase,
            rollbackPossible: record.phase == .baking ? obstacle == nil : !record.phase.isAfterSwap,
            message: message.isEmpty ? obstacle.map { "a rollback is not possible: \($0)" } ?? "" : message,
            copyLanes: live?.lanes, oldestTransactionSeconds: try oldestTransaction(on: connection))
    }

    /// Why nothing can continue the migration, and what to do; nil when something can.
    private static func loss(
        _ record: MigrationRecord, _ slot: ReplicationSlot.Status?, _ message: String,
        on connection: isolated PgConnection
    ) throws -> String? {
        let next = "`shadow-alter abort \(record.name)` removes the rest, and the same command starts over then"
        guard record.phase < .done, !record.phase.isAfterSwap else { return nil }
        let gone = try connection.query(
            "SELECT wanted.oid::text FROM unnest($1::oid[]) AS wanted (oid) WHERE NOT EXISTS (SELECT FROM pg_class c WHERE c.oid = wanted.oid)",
            [.array(record.tables.flatMap { [$0.greenOID, $0.plan.sourceOID].map { String($0) } })]
        ).rows.map { try $0.value(as: String.self) }
        for table in record.tables {
            if gone.contains(String(table.plan.sourceOID)) { return "the table \(table.plan.source) is gone; \(next)" }
            if gone.contains(String(table.greenOID)) { return "the new table \(table.plan.green) is gone; \(next)" }
        }
        guard record.phase >= .copying, slot?.isInvalid ?? true else { return nil }
        if message.contains(record.streamName) || message.hasPrefix("the slot retained") { return message }
        return
            "the replication slot \(record.streamName) is \(slot == nil ? "gone" : "invalid"); the same command starts over, `shadow-alter abort \(record.name)` ends it"
    }

    /// Of all sessions of this program in the database, in seconds, without this one. A walsender's is that of whom it decodes.
    private static func oldestTransaction(on connection: isolated PgConnection) throws -> Double? {
        try connection.query(
            """
            SELECT extract(epoch FROM clock_timestamp() - min(xact_start))::float8 AS age FROM pg_stat_activity
            WHERE datname = current_database() AND application_name LIKE 'shadow-alter %' AND backend_type = 'client backend'
                AND pid <> pg_backend_pid() AND xact_start IS NOT NULL
            """
        ).single().optional("age")
    }

    /// As the run has noted it, less the time since then.
    private static func estimate(_ row: PgRow, of phase: Phase, isAlive: Bool) throws -> Estimate {
        guard phase < .ready else { return Estimate(phase: nil, total: phase <= .done ? 0 : nil) }
        guard isAlive, let age: Double = try row.optional("eta_age") else { return Estimate() }
        func left(_ name: String) throws -> Double? { try row.optional(name).map { max(0, $0 - age) } }
        return Estimate(phase: try left("phase_eta"), total: try left("eta"))
    }

    /// Nobody is in the way of what cannot be done yet, and nobody who is passed over.
    private static func blockers(
        _ record: MigrationRecord, steeredAs id: Int64, on connection: isolated PgConnection
    ) throws -> [Blocker] {
        guard record.phase == .cuttingOver || record.phase == .ready && !record.isWayBack else { return [] }
        var options = MigrationOptions()
        let recorded = try StateStore.steering(of: id, on: connection)?.0.settings[Setting.standbySnapshots.rawValue]
        if let recorded { try? options.set(.standbySnapshots, to: recorded) }
        return try BlockerFinder(record, patience: options.lockTimeout, on: connection).find(on: connection)
            .filter(options.waits(for:))
    }

    /// The last one: of the old tables, if they follow and were compared since.
    private static func verification(
        _ record: MigrationRecord, _ wayBack: MigrationRecord?, _ live: StatusBox.Snapshot?,
        on connection: isolated PgConnection
    ) throws -> MigrationStatus.Verify {
        if let live, live.verify.outcome == .running { return live.verify }
        var verify = MigrationStatus.Verify()
        let back = try wayBack.flatMap { try StateStore.verification(of: $0.id, on: connection) }
        let leftOut = (back == nil ? record : wayBack ?? record).plan.uncompared
        verify.uncompared = leftOut.isEmpty ? nil : leftOut
        guard let last = try back ?? StateStore.verification(of: record.id, on: connection) else { return verify }
        verify.rowsChecked = last.rows
        verify.mismatches = last.mismatches
        verify.outcome = last.outcome
        verify.startedAt = last.started
        verify.endedAt = last.endedAt
        verify.mode = live?.verify.mode
        return verify
    }

    private struct TableStatus {
        var status: MigrationStatus.Table
        var spooled: Int64
        var refreshed: Int64
    }

    private static func table(
        _ table: TableRecord, _ phase: Phase, countsKeys: Bool, on connection: isolated PgConnection
    ) throws -> TableStatus {
        let chunks = try connection.query(
            """
            SELECT coalesce(sum(end_page - first_page), 0)::bigint AS pages, coalesce(sum(c.rows), 0)::bigint AS rows,
                t.rows_copied, t.keys_refreshed
            FROM shadow_alter.migrated_table t LEFT JOIN shadow_alter.chunk c ON c.table_id = t.id
            WHERE t.id = $1 GROUP BY t.id
            """, [.int(table.id)]
        ).first
        guard let chunks else { throw Vanished() }
        let spooled = countsKeys ? try countKeys(table, on: connection) : 0
        let pages: Int64 = try chunks.get("pages")
        let copied: Int64 = phase.isAfterSwap ? try chunks.get("rows_copied") : try chunks.get("rows")
        return TableStatus(
            status: MigrationStatus.Table(
                table: table.plan.source.description, rowsEstimated: table.plan.estimatedRows, rowsCopied: copied,
                percent: phase > .copying ? 100 : percent(pages, of: table.file)),
            spooled: spooled, refreshed: try chunks.get("keys_refreshed"))
    }

    private static func countKeys(_ table: TableRecord, on connection: isolated PgConnection) throws -> Int64 {
        do {
            return try connection.query(
                "SELECT count(*) FROM (SELECT FROM \(table.spool.sql) LIMIT \(countedKeys + 1)) keys"
            ).single().value()
        } catch let error as PgError where error.sqlState?.isAboutAMissingObject == true {
            // It goes with the exchange, before the rest.
            return 0
        }
    }

    private static func percent(_ pages: Int64, of file: SourceFile?) -> Double {
        guard let file else { return 0 }
        return file.pages > 0 ? min(100, Double(pages) / Double(file.pages) * 100) : 100
    }
}
