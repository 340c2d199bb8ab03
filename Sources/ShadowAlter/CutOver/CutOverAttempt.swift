import PgConnection

/// One attempt: lock, compare, drain, refresh, swap, commit, in one transaction. Whatever fails before COMMIT leaves everything as it was.
struct CutOverAttempt: Sendable {
    struct Outcome: Sendable {
        /// From the moment the lock was granted until COMMIT returned.
        var hold: Duration
        /// From the request for the lock until COMMIT returned: the longest that anybody can have waited.
        var wait: Duration
    }

    /// The attempt took longer than it may.
    struct OverBudget: Error {
        let budget: Duration
    }

    let record: MigrationRecord
    let connection: PgConnection
    let stream: ChangeStream
    let options: MigrationOptions

    func run() async throws -> Outcome {
        let clock = ContinuousClock()
        let (statistics, arrivals) = try await connection.run { [record] connection in
            (
                try record.plan.exchanges.map { try Self.statistics(of: $0, on: connection) },
                try Self.arrivals(record, on: connection)
            )
        }
        let rehearsal = try await rehearse()
        let requested = clock.now
        let granted = try await connection.transaction { [self] connection in
            try connection.execute(options.attemptSettings(lockTimeout: options.lockTimeout))
            try lock(rehearsal, on: connection)
            let granted = clock.now
            // Both at the same time: the watermark travels on connections of its own.
            async let drained = stream.drain(limit: options.cutOverBudget - (clock.now - requested))
            if try readVersions(on: connection) != rehearsal.versions { try compareCatalog(on: connection) }
            _ = try await drained
            for table in record.tables { try settle(table, on: connection) }
            // PostgreSQL alters no table whose deferred constraints are still to be checked.
            try connection.execute("SET CONSTRAINTS ALL IMMEDIATE")
            // What PostgreSQL prints under this path means the same under no other for certain.
            try connection.execute("SELECT pg_catalog.set_config('search_path', '', true)")
            try execute(record.plan.dependants.reversed().flatMap(\.remove), on: connection)
            try execute(
                SwapSQL.statements(
                    for: record.plan.exchanges, blueSchema: record.plan.blueSchema, statistics: statistics)
                    + arrivals,
                on: connection)
            try execute(record.plan.dependants.flatMap(\.restore), on: connection)
            if record.plan.dependants.contains(where: { !$0.settle.isEmpty }) {
                try StateStore.setSettled(false, of: record.id, on: connection)
            }
            try StateStore.setPhase(.done, of: record.id, on: connection)
            guard clock.now - requested <= options.cutOverBudget else {
                throw OverBudget(budget: options.cutOverBudget)
            }
            return granted
        }
        let now = clock.now
        return Outcome(hold: now - granted, wait: now - requested)
    }

    private struct Rehearsal: Sendable {
        /// Of the catalog rows that were found to be as planned.
        var versions: [CatalogVersions]
        /// The owners of the views, by OID.
        var owners: [UInt32: String]
        var deadlockTimeout: Duration
    }

    /// Everything but the swap, without the lock: what it finds costs nobody anything, and the session's caches are warm when it counts.
    private func rehearse() async throws -> Rehearsal {
        let rehearsal = try await connection.transaction { [self] connection in
            // Parsing a rule or a function anew takes the locks that its statements would take.
            try connection.execute("SET LOCAL lock_timeout = '\(max(1, Int(options.lockTimeout.milliseconds)))ms'")
            // In this order: a change in between shows in the versions.
            let versions = try readVersions(on: connection)
            try compareCatalog(on: connection)
            return Rehearsal(
                versions: versions, owners: try owners(on: connection),
                deadlockTimeout: try LockBound.deadlockTimeout(on: connection))
        }
        do {
            try await connection.transaction { [self] connection in
                for table in record.tables {
                    _ = try RefreshBatch(table).run(after: 0, limit: 10_000, mode: .replacing, on: connection)
                }
            }
        } catch let error as PgError where error.isRowConflict {
            // The other row of a swapped value is not in the spool yet; under the lock it will be.
        }
        return rehearsal
    }

    /// First the views, then the tables.
    private func lock(_ rehearsal: Rehearsal, on connection: isolated PgConnection) throws {
        let plan = LockPlan(record.plan, greenOIDs: record.tables.map(\.greenOID))
        let bound = LockBound(options.lockTimeout, deadlockTimeout: rehearsal.deadlockTimeout, plan)
        do {
            try bound.take(plan.statements(owners: rehearsal.owners), on: connection)
        } catch let error as PgError where error.sqlState?.isAboutAMissingObject == true {
            throw MigrationError.sourceChanged(
                record, "what the cut-over locks is not as it was planned for: \(error.message)")
        }
        try connection.execute(options.attemptSettings(lockTimeout: bound.furtherTimeout))
    }

    private func owners(on connection: isolated PgConnection) throws -> [UInt32: String] {
        let views = LockPlan(record.plan).views
        guard !views.isEmpty else { return [:] }
        let rows = try connection.query(
            "SELECT oid, pg_get_userbyid(relowner) AS owner FROM pg_class WHERE oid = ANY ($1::oid[])",
            [.array(views.map { String($0.oid) })]
        ).rows.map { (try $0.get("oid", as: UInt32.self), try $0.get("owner", as: String.self)) }
        return Dictionary(rows, uniquingKeysWith: { $1 })
    }

    private func execute(_ statements: [String], on connection: isolated PgConnection) throws {
        guard !statements.isEmpty else { return }
        try connection.execute(statements.joined(separator: ";\n"))
    }

    private func readVersions(on connection: isolated PgConnection) throws -> [CatalogVersions] {
        let dependants = record.plan.dependants
        return try (record.plan.exchanges.map(\.sourceOID) + dependants.flatMap(\.relations)).map {
            try CatalogVersions.read($0, on: connection)
        } + [CatalogVersions.read(functions: dependants.flatMap(\.functions), on: connection)]
    }

    private func compareCatalog(on connection: isolated PgConnection) throws {
        for table in record.plan.exchanges {
            try CatalogFingerprint.compare(
                table, publication: record.streamName, name: record.name, on: connection)
        }
        try Dependants.compare(record, on: connection)
    }

    private func settle(_ table: TableRecord, on connection: isolated PgConnection) throws {
        let batch = RefreshBatch(table)
        var after: Int64 = 0
        while let through = try batch.run(
            after: after, limit: 10_000, mode: .replacing, isLocked: true, on: connection
        ).through {
            after = through
        }
    }

    /// The partitions of tables that were ordinary ones come along. The ones above have gone to the schema of the old table by then.
    private static func arrivals(_ record: MigrationRecord, on connection: isolated PgConnection) throws -> [String] {
        try record.tables.filter(\.plan.isPartitioned).flatMap { table in
            try Arrivals.read(table, on: connection).partitions.flatMap { partition in
                SwapSQL.move(
                    partition.name,
                    try statistics(of: partition.name, on: connection).filter { $0.schema == partition.name.schema },
                    to: table.plan.source.schema)
            }
        }
    }

    private static func statistics(
        of table: Exchange, on connection: isolated PgConnection
    ) throws -> SwapSQL.Statistics {
        // A statistics object may live in another schema than its table; only those beside it move.
        return SwapSQL.Statistics(
            source: try statistics(of: table.source, on: connection).filter { $0.schema == table.source.schema },
            green: try statistics(of: table.green, on: connection).filter { $0.schema == table.green.schema })
    }

    private static func statistics(
        of relation: QualifiedName, on connection: isolated PgConnection
    ) throws -> [QualifiedName] {
        try connection.query(
            """
            SELECT n.nspname, s.stxname FROM pg_statistic_ext s JOIN pg_namespace n ON n.oid = s.stxnamespace
            WHERE s.stxrelid = $1::text::regclass ORDER BY s.oid
            """, [.text(relation.sql)]
        ).rows.map { QualifiedName(schema: try $0.get("nspname"), name: try $0.get("stxname")) }
    }
}

extension MigrationOptions {
    /// What bounds an attempt on the server's side. The last one makes it let go of the lock if we vanish without a word.
    func attemptSettings(lockTimeout: Duration) -> String {
        let budget = max(1, Int(cutOverBudget.milliseconds.rounded(.up)))
        return """
            SET LOCAL lock_timeout = '\(max(1, Int(lockTimeout.milliseconds)))ms';
            SET LOCAL statement_timeout = '\(budget)ms';
            SET LOCAL idle_in_transaction_session_timeout = '\(budget + 1000)ms'
            """
    }
}

extension CatalogFingerprint {
    /// Throws `sourceChanged` when the source is not as it was planned for.
    static func compare(
        _ table: Exchange, publication: String?, name: String, on connection: isolated PgConnection
    ) throws {
        let digest = try digest(of: table.sourceOID, publication: publication, on: connection)
        let parts = difference(table.fingerprint, digest)
        guard !parts.isEmpty else { return }
        throw MigrationError(
            .sourceChanged,
            "\(table.source) is not as it was planned for: its \(parts.joined(separator: ", ")) changed meanwhile",
            state: "the attempt was rolled back, no live table was touched by it",
            advice: "change it back and run again, or `shadow-alter abort \(name)` and start anew")
    }
}
