import Logging
import PgConnection
import Synchronization

/// Builds all indexes, the key's among them, in parallel sessions; then the constraints that stand on them.
struct IndexPhase: Sendable {
    let record: MigrationRecord
    let control: PgConnection
    let connections: ConnectionOptions
    let options: MigrationOptions
    let throttle: Throttle
    let status: StatusBox
    let log: Logger

    private struct Job: Sendable {
        let table: TablePlan
        let index: IndexPlan

        /// What building it takes, roughly, in no unit.
        var weight: Double { Double(index.cost) * table.indexWeight }
    }

    func run() async throws {
        // A small table's indexes fill the time that the last of the large ones leaves.
        let jobs = try await missing().sorted { $0.weight > $1.weight }
        status.update {
            $0.indexesToBuild = jobs.count
            $0.indexWork.total = jobs.reduce(0) { $0 + $1.weight }
        }
        let queue = JobQueue(jobs)
        let sessions = max(1, min(options.copyWorkers, jobs.count))
        let share = jobs.reduce(0) { $0 + $1.weight } / Double(options.copyWorkers)
        try await withThrowingTaskGroup(of: Void.self) { group in
            for lane in 0..<sessions {
                guard
                    let connection = try await PgConnection.connect(
                        lane: lane, connections, for: .index, plan: record.plan, log: log)
                else { break }
                group.addTask {
                    try await connection.closing { try await build(queue, fairShare: share, on: $0) }
                }
            }
            while try await group.next() != nil {}
        }
        try Failpoint.indexesBuilt.pass()
        try await control.transaction { [record] connection in
            for table in record.tables {
                let arrivals = try table.plan.isPartitioned ? Arrivals.read(table, on: connection) : nil
                let (before, after) = (arrivals?.detach ?? [], arrivals?.attach ?? [])
                for statement in before + table.plan.afterIndexes + after { try connection.execute(statement) }
            }
            for statement in record.plan.completion { try connection.execute(statement) }
            try Failpoint.constraintsMade.pass()
            try StateStore.setPhase(.catchingUp, of: record.id, on: connection)
        }
        try Failpoint.indexed.pass()
    }

    /// CREATE INDEX is transactional: an index that is there is complete.
    private func missing() async throws -> [Job] {
        let jobs = record.plan.tables.flatMap { table in table.indexes.map { Job(table: table, index: $0) } }
        return try await control.run { connection in
            try jobs.filter { job in
                try connection.query(
                    """
                    SELECT NOT EXISTS (SELECT FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace
                                       WHERE n.nspname = $1 AND c.relname = $2)
                    """, [.text(job.table.green.schema), .text(job.index.name)]
                ).single().value()
            }
        }
    }

    private func build(_ queue: JobQueue<Job>, fairShare: Double, on connection: PgConnection) async throws {
        while let job = queue.next() {
            // One that is being built goes on: starting it anew would cost more than it spares.
            try await throttle.admit()
            let resources = IndexResources(job.index, of: job.table, fairShare: fairShare / job.table.indexWeight)
            try await connection.run { try resources.apply(on: $0) }
            let start = ContinuousClock.now
            let process = connection.backendPID
            status.update { $0.indexWork.begin(job.weight, by: process) }
            try await build(job, on: connection)
            try Failpoint.indexBuilt.pass()
            let took = ContinuousClock.now - start
            status.update {
                $0.indexesBuilt += 1
                $0.indexWork.end(by: process)
            }
            log.info(
                "built index \(job.index.name)", metadata: ["seconds": "\((took.seconds * 10).rounded() / 10)"])
        }
    }

    private func build(_ job: Job, on connection: PgConnection) async throws {
        do {
            try await connection.cancellable { connection in
                try connection.query(
                    "SELECT set_config('default_tablespace', $1, false)", [.text(job.index.tablespace)])
                try connection.execute(job.index.definition)
            }
        } catch let error as PgError where error.sqlState == .queryCanceled && Task.isCancelled {
            throw CancellationError()
        } catch let error as PgError {
            guard var explained = BadData.explain(error, table: job.table, source: .index) else { throw error }
            if error.isRowConflict, let found = try await duplicates(job, on: connection), found.total > 0 {
                explained.message =
                    "index \(job.index.name) of the new table \(job.table.green) cannot be built: \(found.text)"
                throw explained
            }
            explained.message = "index \(job.index.name) of the new table cannot be built: \(error.message)"
            if let detail = error.detail { explained.message += " (\(detail))" }
            throw explained
        }
    }

    /// The values that are to blame. In the new table, where they are: the old one may have changed.
    private func duplicates(_ job: Job, on connection: PgConnection) async throws -> Duplicates? {
        let plan = job.table
        log.error(
            "index \(job.index.name) cannot be built, a value is there more than once: all such values are being looked for"
        )
        do {
            guard let record = record.tables.first(where: { $0.plan.source == plan.source }) else { return nil }
            let probe = try await connection.run { connection in
                try connection.readingDefinitions {
                    try ProbeTable.read(record.greenOID, isPartitioned: plan.isPartitioned, on: $0)
                }
            }
            try await connection.execute("\(ProbeTable.drop); \(probe.create)")
            let file =
                ([plan.green] + plan.partitions).first { job.index.definition.contains(" ON \($0.sql) ") } ?? plan.green
            return try await DuplicateSearch(
                plan: plan, index: job.index, rows: .green(file), connection: connection,
                pace: SearchPace { [throttle] in
                    try Task.checkCancellation()
                    try await throttle.admit()
                }
            ).run()
        } catch let error as PgError where !error.isConnectionLoss {
            // No temporary tables, or a type without a hash function.
            log.warning("the values cannot be looked for: \(error.message)")
            return nil
        }
    }
}

extension TablePlan {
    /// How much larger the table's indexes are than those of a table with one row.
    fileprivate var indexWeight: Double {
        Double(max(1, estimatedRows ?? tableBytes / Self.bytesPerRow))
    }

    /// A guess, for a table that was never analysed.
    private static let bytesPerRow: Int64 = 100
}

/// Jobs that several sessions take from, in order.
private final class JobQueue<Job: Sendable>: Sendable {
    private let jobs: Mutex<[Job]>

    init(_ jobs: [Job]) { self.jobs = Mutex(jobs.reversed()) }

    func next() -> Job? { jobs.withLock { $0.popLast() } }
}
