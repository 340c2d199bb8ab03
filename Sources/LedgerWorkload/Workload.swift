import PgConnection

/// A write load on a live table that knows what the table must contain.
///
/// Each client owns its keys, so nothing but its own acknowledged commits decides what they hold; the rows that everybody
/// writes are counters, whose increments commute. Deadlocks and serialization failures are therefore impossible: every
/// error is somebody else's doing.
public actor Workload {
    public nonisolated let table: WorkloadTable
    public nonisolated let settings: WorkloadSettings
    private let gate: Gate
    private let clients: [WorkloadClient]
    private let untouched: InitialRows
    nonisolated let hotRows: [HotRow]
    private var tasks: [Task<Void, Never>] = []

    private init(
        table: WorkloadTable, settings: WorkloadSettings, gate: Gate, clients: [WorkloadClient],
        opening: WorkloadOpening
    ) {
        self.table = table
        self.settings = settings
        self.gate = gate
        self.clients = clients
        untouched = opening.untouched
        hotRows = opening.hotRows
    }

    /// Writes down what is in the table, inserts the shared rows, connects the clients, and lets them go.
    ///
    /// Nobody else may write to the table between now and `verify`.
    ///
    /// - Parameter announce: is given one line with the seed.
    /// - Throws: `PgError` if the server or the table does not let it; `WorkloadError` for a table that cannot be used.
    public static func start(
        table: WorkloadTable, options: ConnectionOptions, settings: WorkloadSettings,
        announce: @Sendable (String) -> Void = { print($0) }
    ) async throws -> Workload {
        announce(
            "load on \(table.name): \(settings.clients) clients, seed \(settings.seed) "
                + "(replay with \(WorkloadSeed.variable)=\(settings.seed))")
        let session = options.with(CanonicalReading.settings, applicationName: applicationName)
        let opening = try await open(table, session, settings)
        let gate = Gate()
        var clients: [WorkloadClient] = []
        for (number, planner) in opening.planners.enumerated() {
            let client = WorkloadClient(
                planner, options: session, gate: gate, rate: settings.rate,
                operationLimit: settings.operationsPerClient, meter: ClientMeter(client: number))
            try await client.prepare()
            clients.append(client)
        }
        let workload = Workload(table: table, settings: settings, gate: gate, clients: clients, opening: opening)
        await workload.run()
        return workload
    }

    /// Of the clients' sessions, as `pg_stat_activity` shows it.
    public static let applicationName = "ledger workload"

    private static func open(
        _ table: WorkloadTable, _ options: ConnectionOptions, _ settings: WorkloadSettings
    ) async throws -> WorkloadOpening {
        let connection = try await PgConnection.connect(options)
        do {
            let opening = try await connection.run { connection in
                var opening = WorkloadOpening(table: table, settings: settings)
                try opening.prepare(on: connection)
                return opening
            }
            await connection.close()
            return opening
        } catch {
            await connection.close()
            throw error
        }
    }

    private func run() {
        tasks = clients.map { client in Task { await client.run() } }
    }

    /// Returns when no operation is in progress any more.
    public func pause() async {
        await gate.close()
    }

    public func resume() async {
        await gate.open()
    }

    /// Waits for clients that have a limit of operations. Without one, only `stop` ends it.
    public func finish() async -> WorkloadReport {
        for task in tasks { await task.value }
        return report
    }

    /// Ends the load after the operations that are in progress.
    @discardableResult
    public func stop() async -> WorkloadReport {
        await gate.end()
        return await finish()
    }

    /// The figures so far.
    public nonisolated var report: WorkloadReport {
        WorkloadReport(seed: settings.seed, clients: clients.map(\.meter.snapshot))
    }

    /// Operations done and errors seen so far: cheap enough to be asked for often.
    public nonisolated var progress: (operations: Int, errors: Int) {
        clients.map(\.meter.counts).reduce(into: (operations: 0, errors: 0)) { sum, client in
            sum.operations += client.operations
            sum.errors += client.errors
        }
    }

    /// Compares the whole table with the ledger, in both directions. A running load is paused for it.
    ///
    /// - Parameters:
    ///   - options: a session that may read the table.
    ///   - side: which of its two definitions the table has.
    ///   - hasCrashed: the server has come down meanwhile. A sequence may then give a number again that it had given to an insert which never was
    ///     committed: nextval is written to the disk with the commit only.
    /// - Returns: nothing, if every acknowledged write is there and nothing else is.
    /// - Throws: `PgError` if the table cannot be read.
    public func verify(
        on options: ConnectionOptions, canonical side: MigrationSide, hasCrashed: Bool = false
    ) async throws -> [Discrepancy] {
        let wasRunning = await gate.isOpen
        if wasRunning { await gate.close() }
        var ledgers: [ClientLedger] = []
        for client in clients { ledgers.append(await client.ledger) }
        let book = LedgerBook(
            table: table, ledgers: ledgers, untouched: untouched, hotRows: hotRows, mayReuseKeys: hasCrashed)
        do {
            let found = try await Verifier(book: book, side: side).run(on: options)
            if wasRunning { await gate.open() }
            return found
        } catch {
            if wasRunning { await gate.open() }
            throw error
        }
    }

    /// For tests of the ledger itself.
    func ledgers() async -> [ClientLedger] {
        var all: [ClientLedger] = []
        for client in clients { all.append(await client.ledger) }
        return all
    }
}
