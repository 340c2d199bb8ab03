import PgConnection

/// One client: decides, sends, and writes down what was acknowledged.
actor WorkloadClient {
    private let options: ConnectionOptions
    private let gate: Gate
    private let operationLimit: Int?
    private var pacer: Pacer
    private var connection: PgConnection?
    private(set) var planner: Planner
    nonisolated let meter: ClientMeter

    init(
        _ planner: Planner, options: ConnectionOptions, gate: Gate, rate: Double, operationLimit: Int?,
        meter: ClientMeter
    ) {
        self.planner = planner
        self.options = options
        self.gate = gate
        self.operationLimit = operationLimit
        self.meter = meter
        pacer = Pacer(rate: rate)
    }

    var ledger: ClientLedger { planner.ledger }

    /// Connects, so that an unreachable server is an error at the start and not an application error later.
    func prepare() async throws {
        connection = try await connect()
    }

    private func connect() async throws -> PgConnection {
        let connection = try await PgConnection.connect(options)
        let statements = planner.prepared.preparation
        try await connection.run { connection in
            for statement in statements { try connection.execute(statement) }
        }
        return connection
    }

    /// Until the gate ends it, or the limit is reached.
    func run() async {
        while await gate.enter() {
            let isDone = await oneOperation()
            await gate.leave()
            if isDone { break }
            if let time = pacer.nextTime() { try? await Task.sleep(until: time, clock: .continuous) }
        }
        await connection?.close()
        connection = nil
    }

    /// Returns true if it was the last one.
    private func oneOperation() async -> Bool {
        if let operationLimit, planner.number >= operationLimit { return true }
        guard let connection = await usableConnection(), await refillKeys(connection) else { return false }
        let script = planner.next()
        let runner = ScriptRunner(meter: meter)
        let outcome: ScriptOutcome
        do {
            outcome = try await connection.run { runner.run(script, on: $0) }
        } catch {
            // `run` throws what its closure throws, and this one does not.
            outcome = .withoutEffect(connectionLost: true)
        }
        apply(outcome, of: script)
        return false
    }

    private func apply(_ outcome: ScriptOutcome, of script: Script) {
        var effect = script.effect
        switch outcome {
        case .acknowledged(let keys):
            effect.changes += Self.inserted(keys, script)
            planner.ledger.acknowledge(effect)
            meter.countOperation(committed: true, changedRows: effect.changesRows)
        case .withoutEffect(let connectionLost):
            if connectionLost { connection = nil }
            planner.ledger.reject(effect)
            meter.countOperation(committed: false)
        case .unknown(let keys):
            connection = nil
            effect.changes += Self.inserted(keys, script)
            planner.ledger.doubt(effect)
            meter.countOperation(committed: false, inDoubt: true)
        }
    }

    private static func inserted(_ keys: [Key], _ script: Script) -> [RowChange] {
        zip(keys, script.rowsWithNewKeys).map { RowChange(key: $0, before: nil, after: $1) }
    }

    private func usableConnection() async -> PgConnection? {
        if let connection { return connection }
        do {
            connection = try await connect()
            return connection
        } catch {
            let error = error as? PgError ?? PgError(code: .connectionFailed, message: "\(error)")
            meter.record(
                ApplicationError(error, client: meter.client, operation: planner.number, statement: "connecting"))
            // Only between attempts that fail; nothing depends on how long it is.
            try? await Task.sleep(for: .milliseconds(100))
            return nil
        }
    }

    /// Asks the key's sequence for keys long before they are needed. Returns false if it failed, which is on record then.
    private func refillKeys(_ connection: PgConnection) async -> Bool {
        let missing = 2 * Planner.keysPerOperation
        guard planner.keys.reserve.count < Planner.keysPerOperation,
            let sql = planner.statements.nextKeys(missing)
        else { return true }
        do {
            let answer = try await connection.execute(sql)
            planner.keys.refill(answer.rows.compactMap { $0.text(0).map { Key(text: $0) } })
            return true
        } catch {
            let error = error as? PgError ?? PgError(code: .unexpectedResult, message: "\(error)")
            meter.record(ApplicationError(error, client: meter.client, operation: planner.number, statement: sql))
            if error.isConnectionLoss { self.connection = nil }
            return false
        }
    }
}
