import PgConnection

/// Brings the shadow up to date with the spool, batch by batch, each in its own short transaction.
actor Refresher {
    private let connection: PgConnection
    private let stream: ChangeStream
    private let throttle: Throttle
    private let status: StatusBox
    private let pending: PendingTables

    private struct Batch {
        let table: TableRecord
        let refresh: RefreshBatch
        /// How rows that are there already get their new values; see `Refresher.mode`.
        let mode: RefreshBatch.Mode
        /// Whether a row may yield to one that it conflicts with (`RefreshBatch.Mode.yielding`).
        let mayYield: Bool
        /// Of a way back: one row that cannot go back holds up no other.
        let parking: Parking?
        /// Everything up to here is settled.
        var settledThrough: Int64 = 0
    }

    /// How many keys a batch takes. Its locks are on rows that only we write.
    private static let batchSize = 10_000
    /// How often a unique violation is met with more of the stream before it is taken for a real one.
    private static let settlingAttempts = 30
    /// The same where nothing is lost if it is one: the key is parked.
    private static let parkingAttempts = 6

    private var batches: [Batch]

    init(
        _ record: MigrationRecord, connection: PgConnection, stream: ChangeStream, throttle: Throttle, status: StatusBox
    ) async throws {
        self.connection = connection
        self.stream = stream
        self.throttle = throttle
        self.status = status
        let pending = PendingTables(record)
        self.pending = pending
        try await connection.run { try pending.prepare(on: $0) }
        var batches: [Batch] = []
        for table in record.tables {
            let mode = try await connection.run { try Self.mode(of: table, on: $0) }
            let mayYield = try await connection.run { try RefreshBatch.mayYield(table, on: $0) }
            batches.append(
                Batch(
                    table: table, refresh: RefreshBatch(table, parks: record.isWayBack), mode: mode, mayYield: mayYield,
                    parking: record.isWayBack ? Parking(table) : nil))
        }
        self.batches = batches
    }

    /// `ON CONFLICT … DO UPDATE` updates no `GENERATED ALWAYS` identity outside the key. It takes as its arbiters *all* unique indexes on the
    /// key's columns, and fails when one of them is a deferrable constraint's.
    private static func mode(
        of table: TableRecord, on connection: isolated PgConnection
    ) throws -> RefreshBatch.Mode {
        guard !table.plan.replacesRows else { return .replacing }
        let cannotUpdate: Bool = try connection.query(
            """
            SELECT EXISTS (SELECT FROM pg_attribute WHERE attrelid = $1 AND attidentity = 'a' AND attname <> ALL ($2::name[]))
                OR EXISTS (SELECT FROM pg_index i WHERE i.indrelid = $1 AND i.indisunique AND NOT i.indimmediate
                           AND (SELECT array_agg(a.attname ORDER BY a.attname)
                                FROM pg_attribute a WHERE a.attrelid = i.indrelid AND a.attnum = ANY ((i.indkey::int2[])[0:i.indnkeyatts - 1]))
                               = (SELECT array_agg(k ORDER BY k) FROM unnest($2::name[]) k))
            """, [.int(table.greenOID), .array(table.plan.key.map(\.green))]
        ).single().value()
        return cannotUpdate ? .replacing : .updating
    }

    /// Once through everything that is spooled now: what comes meanwhile is the next pass's, or a pass would last for as long as the
    /// application writes. Returns how many of the shadow's rows were touched.
    @discardableResult
    func pass() async throws -> Int {
        var total = 0
        let pending = try await connection.run { [pending] connection in
            Set(try pending.ask(on: connection).map(\.table.id))
        }
        for index in batches.indices where pending.contains(batches[index].table.id) {
            var after = batches[index].settledThrough
            var end: Int64?
            var leftBehind = false
            while true {
                try await throttle.admit()
                let result = try await batch(batches[index], after: after)
                guard let through = result.through else { break }
                if result.settled > 0 { try Failpoint.refreshed.pass() }
                total += result.rows
                status.update { $0.keysRefreshed += Int64(result.settled) }
                if result.settled < result.examined { leftBehind = true }
                if !leftBehind { batches[index].settledThrough = through }
                after = through
                // Nearly always that was all; a question less for each of many partitions.
                guard result.examined >= Self.batchSize else { break }
                if end == nil { end = try await lastSpooled(batches[index].table) }
                if after >= end ?? 0 { break }
            }
        }
        return total
    }

    private func lastSpooled(_ table: TableRecord) async throws -> Int64 {
        try await connection.run { connection in
            try connection.query("SELECT coalesce(max(seq), 0) FROM \(table.spool.sql)").single().value()
        }
    }

    /// Between two passes. Returns how many spools were made small again.
    func renewSpools() async throws -> Int {
        var count = 0
        for batch in batches {
            guard try await SpoolRenewal(spool: batch.table.spool).run(on: connection) else { continue }
            try Failpoint.spoolRenewed.pass()
            count += 1
        }
        return count
    }

    private func batch(_ batch: Batch, after: Int64) async throws -> RefreshBatch.Result {
        do {
            return try await run(batch, after: after, limit: Self.batchSize, mode: batch.mode)
        } catch let error as PgError where error.isRowConflict && (batch.mayYield || batch.parking == nil) {
            return try await settle(batch, first: error)
        } catch let error as PgError {
            if let parking = batch.parking, error.isAboutData {
                return try await park(batch) { try parking.take(batch.refresh, after: after, on: $0) }
            }
            throw try await explain(error, batch, after: after)
        }
    }

    /// The same error with the rows' names, where the rows are to blame.
    private func explain(_ error: PgError, _ batch: Batch, after: Int64) async throws -> any Error {
        guard error.isAboutData, !error.isConnectionLoss else { return error }
        let search = LiveBadRows(
            table: batch.table, refresh: batch.refresh, mode: error.isRowConflict ? .replacing : batch.mode,
            connection: connection)
        let found: [BadRows]
        do {
            found = [try await search.find(after: after)]
        } catch let failure as PgError where failure.sqlState == .insufficientPrivilege {
            // No temporary tables.
            found = []
        }
        return BadData.explain(found, first: error, table: batch.table.plan, source: .liveWrite) ?? error
    }

    private func park(
        _ batch: Batch,
        _ take: @escaping @Sendable (isolated PgConnection) throws -> RefreshBatch.Result
    ) async throws -> RefreshBatch.Result {
        let result = try await connection.transaction { connection in
            let result = try take(connection)
            try batch.refresh.note(result, on: connection)
            return result
        }
        try Failpoint.parked.pass()
        return result
    }

    /// Looks anew at rows that could not go back: another row may have stood in their way, which is no more.
    func retryParked() async throws {
        for parking in batches.compactMap(\.parking) {
            try await connection.transaction { try parking.retry(on: $0) }
            try Failpoint.parkedRetried.pass()
        }
    }

    /// A value has moved between a row of the batch and one outside it: takes more of the stream until both are in it.
    ///
    /// Where rows change values all the time there is always a pair of which one is not in the stream yet, so that all others go ahead. What yields
    /// is in the next batch again; a row that yields to the end is in conflict for good.
    private func settle(_ batch: Batch, first: PgError) async throws -> RefreshBatch.Result {
        guard batch.mayYield else { return try await settleAtOnce(batch, first: first) }
        var stubborn: Set<Int64>?
        var last = RefreshBatch.Result()
        for attempt in 1...(batch.parking == nil ? Self.settlingAttempts : Self.parkingAttempts) {
            try await stream.drain()
            do {
                last = try await run(batch, after: batch.settledThrough, limit: .max, mode: .yielding)
            } catch let error as PgError {
                // Another row of them fails whatever yields to it.
                guard let parking = batch.parking, error.isAboutData else {
                    throw try await explain(error, batch, after: batch.settledThrough)
                }
                return try await park(batch) { try parking.take(batch.refresh, after: batch.settledThrough, on: $0) }
            }
            let left = stubborn?.intersection(last.yielded) ?? last.yielded
            if left.isEmpty { return last }
            stubborn = left
            try await Task.sleep(for: .milliseconds(10 * attempt))
        }
        guard let parking = batch.parking, let stubborn else { return try await settleAtOnce(batch, first: first) }
        last.settled += try await park(batch) {
            try parking.take(batch.refresh, entries: stubborn, on: $0)
        }.settled
        return last
    }

    private func settleAtOnce(_ batch: Batch, first: PgError) async throws -> RefreshBatch.Result {
        var last = first
        for attempt in 1...Self.settlingAttempts {
            try await stream.drain()
            do {
                return try await run(batch, after: batch.settledThrough, limit: .max, mode: .replacing)
            } catch let error as PgError where error.isRowConflict {
                last = error
                try await Task.sleep(for: .milliseconds(10 * attempt))
            } catch let error as PgError {
                throw try await explain(error, batch, after: batch.settledThrough)
            }
        }
        throw try await explain(last, batch, after: batch.settledThrough)
    }

    private func run(
        _ batch: Batch, after: Int64, limit: Int, mode: RefreshBatch.Mode
    ) async throws -> RefreshBatch.Result {
        let refresh = batch.refresh
        return try await connection.transaction { connection in
            let result = try refresh.run(after: after, limit: limit, mode: mode, on: connection)
            try refresh.note(result, on: connection)
            if result.settled > 0 { try Failpoint.refreshing.pass() }
            return result
        }
    }
}

extension PgError {
    /// Two rows claim what only one may have.
    var isRowConflict: Bool { sqlState == .uniqueViolation || sqlState == .exclusionViolation }
}
