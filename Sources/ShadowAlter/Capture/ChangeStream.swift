import Logging
import PgConnection
import PgOutput
import PgReplication
import Synchronization

/// The change stream of one migration: reader, collector, spooler and watermarks, kept running across lost connections.
final class ChangeStream: Sendable {
    /// Those of the reader's session.
    private let options: ConnectionOptions
    private let record: MigrationRecord
    private let collector: ChangeCollector
    private let spooler: Spooler
    private let watermarks: Watermarks
    private let watermarkConnection: PgConnection
    private let spoolConnection: PgConnection
    private let reader: ReaderBox
    /// How long the server may say nothing at all before the reader connects anew.
    private let silenceLimit: Duration
    private let log: Logger

    /// Connects everything but the stream itself, which `run` starts.
    ///
    /// - Parameter wayBack: of a migration whose old tables are to follow: the exchange's commit turns the stream over to the new tables, and what comes
    ///   from there before anybody else listens is spooled for them, or it would be confirmed and lost.
    init(
        _ record: MigrationRecord, followedBy wayBack: MigrationRecord? = nil, options: ConnectionOptions,
        _ settings: MigrationOptions = MigrationOptions(), log: Logger
    ) async throws {
        silenceLimit = settings.networkPatience * 4
        self.record = record
        self.log = log
        let reader = ReaderBox()
        self.reader = reader
        let tables = record.tables + (wayBack?.tables ?? [])
        collector = ChangeCollector(tables: tables.map(\.plan))
        watermarks = Watermarks(process: String(UInt64.random(in: .min ... .max), radix: 16))
        spoolConnection = try await PgConnection.connect(options, for: .spool)
        watermarkConnection = try await PgConnection.connect(options, for: .watermark)
        let memory = try await spoolConnection.run { try DecodingMemory.read(on: $0) }
        let wanted = settings.decodingMemory.map { "\($0 >> 10)" } ?? "\(memory.usual)"
        var further = ["logical_decoding_work_mem": wanted]
        further["client_encoding"] = spoolConnection.encodingOfValues
        self.options = options.session(.stream).with(further)
        spooler = try await Spooler(
            connection: spoolConnection, collector: collector, tables: tables, watermarks: watermarks,
            onConfirmed: { reader.wake() })
    }

    /// Reads and spools until cancelled. Throws when the stream cannot go on; everybody who waits for a watermark is told.
    func run() async throws {
        do {
            try await withThrowingTaskGroup(of: Void.self) { group in
                group.addTask { try await self.spooler.run() }
                group.addTask { try await self.read() }
                try await group.next()
                group.cancelAll()
            }
        } catch {
            watermarks.failAll(error)
            throw error
        }
        watermarks.failAll(CancellationError())
    }

    /// Ends the connections. After `run` has ended.
    func close() async {
        await spoolConnection.close()
        await watermarkConnection.close()
    }

    /// Where the last transaction that has truncated the table at this place of the migration was committed, as far as the stream was read.
    func lastTruncation(of table: Int) -> LSN? { collector.lastTruncation(of: table) }

    /// Returns once everything that was committed before the call is in the spool.
    ///
    /// - Returns: how long the watermark's own commit took, which is what a commit costs anybody right now.
    /// - Throws: `DrainTimeout` when that takes longer than `limit`.
    @discardableResult
    func drain(limit: Duration? = nil) async throws -> Duration {
        let id = watermarks.register()
        let timer = limit.map { limit in
            Task {
                try await Task.sleep(for: limit)
                watermarks.fail(id, DrainTimeout(limit: limit))
            }
        }
        defer { timer?.cancel() }
        // Beside the wait, which must end in time also when the answer to this is lost on its way.
        let emission = Task { [watermarkConnection, watermarks] in
            do {
                let start = ContinuousClock.now
                _ = try await Watermark.emit(
                    on: watermarkConnection, prefix: ChangeCollector.watermarkPrefix, content: id)
                return ContinuousClock.now - start
            } catch {
                watermarks.fail(id, error)
                throw error
            }
        }
        try await watermarks.wait(for: id)
        return try await emission.value
    }

    /// How many bytes of WAL, up to `end`, are not durably spooled yet; nil before the first confirmation.
    func lag(behind end: String) -> Int64? {
        guard let end = LSN(end), let confirmed = collector.confirmed else { return nil }
        return Int64(clamping: end.rawValue) - Int64(clamping: min(end, confirmed).rawValue)
    }

    private func read() async throws {
        var policy = ReconnectPolicy()
        var walSender: Int32?
        while true {
            try Task.checkCancellation()
            let started = ContinuousClock.now
            do {
                let connection = try await ReplicationConnection.connect(
                    options, silenceLimit: silenceLimit)
                let before = walSender
                walSender = connection.backendPID
                if let before { try await end(before) }
                collector.restart()
                reader.set(connection)
                defer { reader.set(nil) }
                try await withTaskCancellationHandler {
                    try await connection.stream(
                        slot: record.streamName, publication: record.streamName, sink: collector)
                } onCancel: {
                    connection.stop()
                }
                await connection.close()
                try Task.checkCancellation()
            } catch let error as PgError {
                try Task.checkCancellation()
                switch StreamFailure(error) {
                case .slotInvalidated, .slotMissing:
                    throw MigrationError.slotLost(record, error.message)
                case .slotActive, .connectionLost:
                    // A stream that lasted a while proves that the server is well again.
                    if ContinuousClock.now - started > .seconds(30) { policy = ReconnectPolicy() }
                    guard let delay = policy.next() else { throw error }
                    log.warning(
                        "the change stream broke: \(error.message); reconnecting",
                        metadata: ["delay_ms": "\(delay.milliseconds)"])
                    try await Task.sleep(for: delay)
                case .other:
                    throw error
                }
            }
        }
    }
}

extension ChangeStream {
    /// A walsender of ours that has not noticed that its client is gone keeps the slot for up to `wal_sender_timeout`.
    private func end(_ walSender: Int32) async throws {
        try await watermarkConnection.execute(
            ReplicationSlot.terminateSQL(name: record.streamName, walSender: walSender))
    }
}

/// A watermark did not come through in time.
struct DrainTimeout: Error {
    let limit: Duration
}

/// The reader that is connected now, for those who want to wake it.
private final class ReaderBox: Sendable {
    private let connection = Mutex<ReplicationConnection?>(nil)

    func set(_ new: ReplicationConnection?) {
        connection.withLock { $0 = new }
    }

    func wake() {
        connection.withLock { $0 }?.wake()
    }
}

extension Duration {
    /// In milliseconds, with fractions.
    var milliseconds: Double {
        Double(components.seconds) * 1e3 + Double(components.attoseconds) / 1e15
    }

    var seconds: Double { milliseconds / 1e3 }
}
