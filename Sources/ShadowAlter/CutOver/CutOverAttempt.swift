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

    /// More changes wait to be refreshed than can be settled under the lock.
    struct Behind: Error {
        let keys: Int
    }

    let record: MigrationRecord
    let connection: PgConnection
    let stream: ChangeStream
    let options: MigrationOptions
    /// Looks around while the locks are waited for.
    let observer: PgConnection
    /// How many attempts were given up before this one.
    let failures: Int
    let landing: Landing

    func run() async throws -> Outcome {
        let clock = ContinuousClock()
        let rehearsal = try await rehearse()
        let requested = clock.now
        let granted = try await connection.transaction { [self] connection in
            try connection.execute(options.attemptSettings(lockTimeout: options.lockTimeout))
            try lock(rehearsal, on: connection)
            let granted = clock.now
            try Failpoint.locked.pass()
            // Both at the same time: the watermark travels on connections of its own.
            async let drained = stream.drain(limit: options.cutOverBudget - (clock.now - requested))
            if try rehearsal.question.ask(on: connection) != rehearsal.versions { try compareCatalog(on: connection) }
            if let copy = try InitialCopies(relations: record.plan.exchanges.map(\.sourceOID)).find(on: connection)
                .first
            {
                throw InitialCopyUnderWay(blocker: copy)
            }
            _ = try await drained
            try Failpoint.drainedUnderLock.pass()
            try FinalRefresh(PendingTables(record)).run(on: connection)
            try Failpoint.refreshedUnderLock.pass()
            try landing.check(on: connection)
            try exchange(rehearsal, on: connection)
            try Failpoint.exchanged.pass()
            if record.plan.dependants.contains(where: { !$0.settle.isEmpty }) {
                try StateStore.setSettled(false, of: record.id, on: connection)
            }
            try landing.record(on: connection)
            guard clock.now - requested <= options.cutOverBudget else {
                throw OverBudget(budget: options.cutOverBudget)
            }
            try Failpoint.committing.pass()
            return granted
        }
        let now = clock.now
        return Outcome(hold: now - granted, wait: now - requested)
    }

    private struct Rehearsal: Sendable {
        let question: CatalogVersions.Question
        /// Of the catalog rows that were found to be as planned.
        let versions: CatalogVersions
        /// The owners of the views, by OID.
        let owners: [UInt32: String]
        let deadlockTimeout: Duration
        /// What exchanges the tables and all that hangs on them, each text one statement.
        let exchange: [String]
    }

    /// Everything but the swap, without the lock: what it finds costs nobody anything, and the session's caches are warm and its statements
    /// planned when it counts.
    private func rehearse() async throws -> Rehearsal {
        let rehearsal = try await connection.transaction { [self] connection in
            // Parsing a rule or a function anew takes the locks that its statements would take.
            try connection.execute("SET LOCAL lock_timeout = '\(max(1, Int(options.lockTimeout.milliseconds)))ms'")
            // The session is set up for looking up rows one by one, which the catalogs of many tables are too large for.
            try connection.execute(
                """
                SET LOCAL enable_hashjoin = on; SET LOCAL enable_mergejoin = on; SET LOCAL enable_seqscan = on;
                SET LOCAL plan_cache_mode = force_generic_plan
                """)
            let exchange = try exchange(on: connection)
            let dependants = record.plan.dependants
            let question = CatalogVersions.Question(
                relations: record.plan.exchanges.map(\.sourceOID) + dependants.flatMap(\.relations),
                functions: dependants.flatMap(\.functions))
            try question.prepare(on: connection)
            // In this order: a change in between shows in the versions.
            let versions = try question.ask(on: connection)
            try compareCatalog(on: connection)
            // What was tried and taken back has made the session forget how to answer.
            _ = try question.ask(on: connection)
            return Rehearsal(
                question: question, versions: versions, owners: try owners(on: connection),
                deadlockTimeout: try LockBound.deadlockTimeout(on: connection), exchange: exchange)
        }
        try Failpoint.rehearsed.pass()
        try await refresh()
        try Failpoint.refreshedBeforeLock.pass()
        return rehearsal
    }

    /// So few rows are made anew under the lock without anybody noticing.
    private static let fewRows = 100
    /// Where as much arrives as is settled, it does not get less.
    private static let passes = 5
    /// How many keys of a table a pass takes.
    private static let batchSize = 10_000
    /// What a pass takes for each table beyond its rows, on a busy server: its questions one after the other. Under the lock all tables are one message, and
    /// each costs a third of this.
    private static let timePerTable = Duration.milliseconds(3)

    /// Meanwhile the application goes on writing: again, until little is left for the lock.
    ///
    /// - Throws: `Behind` where it does not get so little that settling it under the lock would take a small part of the budget.
    private func refresh() async throws {
        let tables = PendingTables(record)
        let modes = try await connection.run { [record] connection in
            try tables.prepare(on: connection)
            return try Dictionary(
                uniqueKeysWithValues: record.tables.map {
                    ($0.id, try RefreshBatch.mayYield($0, on: connection) ? RefreshBatch.Mode.yielding : .replacing)
                })
        }
        let clock = ContinuousClock()
        for pass in 1...Self.passes {
            let start = clock.now
            var (rows, keys, count) = (0, 0, 0)
            do {
                for result in try await connection.transaction({ connection in
                    try tables.ask(on: connection).map { pending in
                        try RefreshBatch(pending.table).run(
                            after: 0, limit: Self.batchSize, mode: modes[pending.table.id] ?? .replacing, on: connection
                        )
                    }
                }) {
                    rows += result.rows
                    keys = max(keys, result.examined)
                    count += 1
                }
            } catch let error as PgError where error.isRowConflict {
                // The other row of a swapped value is not in the spool yet; under the lock it will be.
                return
            }
            guard rows > Self.fewRows || keys >= Self.batchSize else { return }
            if pass == Self.passes {
                let budget = options.cutOverBudget
                let allowed = min(budget, budget / 4 + Self.timePerTable * count)
                guard keys >= Self.batchSize || clock.now - start > allowed else { return }
                throw Behind(keys: keys)
            }
            try await stream.drain()
        }
    }

    /// First the views, then the tables.
    private func lock(_ rehearsal: Rehearsal, on connection: isolated PgConnection) throws {
        let plan = LockPlan(record.plan, greenOIDs: record.tables.map(\.greenOID))
        let bound = LockBound(options.lockTimeout, deadlockTimeout: rehearsal.deadlockTimeout, plan)
        let watch = QueueWatch(
            attempt: connection, observer: observer, relations: plan.all.map(\.oid),
            tolerance: QueueWatch.tolerance(afterFailures: failures, lockTimeout: bound.timeout))
        do {
            try watch.during {
                try bound.take(
                    plan.statements(owners: rehearsal.owners),
                    then: options.attemptSettings(lockTimeout: bound.furtherTimeout), on: connection)
            }
        } catch let error as PgError where error.sqlState?.isAboutAMissingObject == true {
            throw MigrationError.sourceChanged(
                record, "what the cut-over locks is not as it was planned for: \(error.message)")
        }
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

    private func compareCatalog(on connection: isolated PgConnection) throws {
        try connection.readingDefinitions { connection in
            try connection.remembering { connection in
                for table in record.plan.exchanges {
                    try CatalogFingerprint.compare(
                        table, publication: record.streamName, name: record.name, on: connection)
                }
                try Dependants.compare(record, on: connection)
            }
        }
    }

    /// In one message.
    private func exchange(_ rehearsal: Rehearsal, on connection: isolated PgConnection) throws {
        var statements = rehearsal.exchange[...]
        if Failpoint.halfExchanged.isArmed {
            let first = record.plan.exchanges.first.map { "ALTER TABLE \($0.green.sql) SET SCHEMA" } ?? ""
            let half = statements.prefix { !$0.hasPrefix(first) }
            try connection.execute(Array(half))
            try Failpoint.halfExchanged.pass()
            statements = statements.dropFirst(half.count)
        }
        try connection.execute(Array(statements))
    }

    private func exchange(on connection: isolated PgConnection) throws -> [String] {
        let plan = record.plan
        // The partitions of tables that were ordinary ones come along. The ones above have gone to the schema of the old table by then.
        let arrivals = try record.tables.filter(\.plan.isPartitioned).flatMap { table in
            try Arrivals.read(table, on: connection).partitions.map { ($0.name, table.plan.source.schema) }
        }
        let statistics = try StatisticsBeside.read(
            plan.exchanges.flatMap { [$0.source, $0.green] } + arrivals.map { $0.0 }, on: connection)
        return [
            // PostgreSQL alters no table whose deferred constraints are still to be checked.
            "SET CONSTRAINTS ALL IMMEDIATE",
            // What PostgreSQL prints under this path means the same under no other for certain.
            "SELECT pg_catalog.set_config('search_path', '', true)",
        ] + plan.dependants.reversed().flatMap(\.remove)
            + SwapSQL.statements(
                for: plan.exchanges, blueSchema: plan.blueSchema, statistics: plan.exchanges.map { statistics.of($0) })
            + arrivals.flatMap { SwapSQL.move($0.0, statistics.of($0.0), to: $0.1) }
            + plan.dependants.flatMap(\.restore) + landing.statements
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
