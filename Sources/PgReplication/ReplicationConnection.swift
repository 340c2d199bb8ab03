import CLibPQ
import PgConnection
import PgOutput

/// A connection in replication mode (`replication=database`), on a thread of its own.
public actor ReplicationConnection {
    private let thread: ConnectionThread
    private let handle: ConnectionHandle
    private let signal: WakeSignal
    private let statusInterval: Duration
    private let silenceLimit: Duration
    /// The walsender that serves this connection, as `pg_replication_slots.active_pid` has it while it streams.
    public nonisolated let backendPID: Int32

    public nonisolated var unownedExecutor: UnownedSerialExecutor { thread.asUnownedSerialExecutor() }

    private init(
        thread: ConnectionThread, handle: ConnectionHandle, signal: WakeSignal, statusInterval: Duration,
        silenceLimit: Duration
    ) {
        self.thread = thread
        self.handle = handle
        self.signal = signal
        self.statusInterval = statusInterval
        self.silenceLimit = silenceLimit
        backendPID = PQbackendPID(handle.pointer)
    }

    deinit {
        thread.stop()
    }

    /// Connects to the database that the options name.
    ///
    /// - Parameters:
    ///   - statusInterval: how often `stream` reports to the server at least, 10 ms to 10 s (values outside count as
    ///     the nearest inside). It has to be well below the server's `wal_sender_timeout`, 60 s by default.
    ///   - silenceLimit: how long nothing may come from the server while `stream` reads, at least 100 ms. After half of it the server is
    ///     asked for a sign; without one the connection counts as lost.
    /// - Throws: `PgError`, `connectionFailed` with libpq's own message, or the server's refusal of a setting.
    public static func connect(
        _ options: ConnectionOptions, statusInterval: Duration = .seconds(1), silenceLimit: Duration = .seconds(120)
    ) async throws -> ReplicationConnection {
        var options = options
        options.isReplication = true
        let signal = try WakeSignal()
        let thread = try ConnectionThread()
        do {
            let handle = try await ConnectionHandle.connect(options, on: thread)
            return ReplicationConnection(
                thread: thread, handle: handle, signal: signal,
                statusInterval: min(max(statusInterval, .milliseconds(10)), .seconds(10)),
                silenceLimit: max(silenceLimit, .milliseconds(100)))
        } catch {
            thread.stop()
            throw error
        }
    }

    /// What IDENTIFY_SYSTEM answers.
    public struct System: Hashable, Sendable {
        /// The cluster's identifier, which a copy of its files shares.
        public let systemID: String
        public let timeline: UInt32
        /// Up to where the log is flushed.
        public let walPosition: LSN
        public let database: String
    }

    public func identifySystem() throws -> System {
        let row = try handle.execute(ReplicationCommand.identifySystem).single()
        let position: String = try row.get("xlogpos")
        guard let lsn = LSN(position) else {
            throw PgError(
                code: .unexpectedResult, message: "IDENTIFY_SYSTEM answered with the position \(position)",
                statement: ReplicationCommand.identifySystem)
        }
        return System(
            systemID: try row.get("systemid"), timeline: try row.get("timeline"), walPosition: lsn,
            database: try row.get("dbname"))
    }

    /// Streams the publication's changes from where the slot was confirmed last to `sink`, until `stop()`.
    ///
    /// Returns after `stop()`, with the connection usable again if the server has answered within `StreamLoop.stopLimit`,
    /// closed otherwise (in the middle of a large transaction the server goes on to its end). Throws what the server said
    /// (`StreamFailure` tells what it means) or what the sink threw; the connection is closed then.
    public func stream(slot: String, publication: String, sink: some ReplicationSink) throws {
        guard !signal.isStopping else { return }
        let command = ReplicationCommand.start(slot: slot, publication: publication)
        do {
            let result = try handle.start(command)
            guard PQresultStatus(result.pointer) == PGRES_COPY_BOTH, let pointer = handle.pointer else {
                throw PgError(
                    code: .unexpectedResult, message: "START_REPLICATION of slot \(slot) did not begin a stream",
                    statement: command)
            }
            var loop = StreamLoop(
                connection: CopyBothConnection(handle: handle, pointer: pointer, command: command), signal: signal,
                statusInterval: statusInterval, silence: Silence(limit: silenceLimit), sink: sink)
            if try loop.run() == .connectionUsable { return }
            handle.finish()
        } catch {
            handle.finish()
            throw error
        }
    }

    /// Ends `stream` soon, also one that has not begun; from any thread. For good: connect anew to stream again.
    public nonisolated func stop() { signal.stop() }

    /// Makes `stream` look at its sink again and send a status update if the confirmed position has advanced; from any
    /// thread, without blocking.
    public nonisolated func wake() { signal.wake() }

    /// Ends the connection, after a `stream` in progress has ended.
    public func close() { handle.finish() }
}
