import CLibPQ

/// A connection to PostgreSQL. All its calls into libpq run on its own thread.
///
/// The methods are synchronous inside the actor: a closure that is given the connection as an `isolated` parameter (see
/// `transaction`) runs its statements one after the other, and nobody else's in between.
public actor PgConnection {
    let thread: ConnectionThread
    let handle: ConnectionHandle
    /// What is being recorded; nil while nobody wants to know.
    var recorded: [String]?
    public nonisolated let options: ConnectionOptions
    /// The server process that serves this connection, as `pg_stat_activity.pid` has it.
    public nonisolated let backendPID: Int32
    public nonisolated let serverVersion: ServerVersion
    /// The database's, as `server_encoding` has it. In one with `SQL_ASCII` the server converts nothing, and text may be of any bytes.
    public nonisolated let serverEncoding: String
    var memory = StatementMemory()
    var isRemembering = false

    public nonisolated var unownedExecutor: UnownedSerialExecutor { thread.asUnownedSerialExecutor() }

    private init(
        thread: ConnectionThread, handle: ConnectionHandle, options: ConnectionOptions
    ) {
        self.thread = thread
        self.handle = handle
        self.options = options
        backendPID = PQbackendPID(handle.pointer)
        serverVersion = ServerVersion(rawValue: Int(PQserverVersion(handle.pointer)))
        serverEncoding = PQparameterStatus(handle.pointer, "server_encoding").map { String(cString: $0) } ?? ""
    }

    deinit {
        thread.stop()
    }

    /// Connects and applies the options' settings. Throws `connectionFailed` with libpq's own message, `server` when the
    /// server refuses one of the settings. `onNotice` runs on the connection's thread; it must not block.
    public static func connect(
        _ options: ConnectionOptions, onNotice: @escaping @Sendable (PgNotice) -> Void = { _ in }
    ) async throws -> PgConnection {
        let thread = try ConnectionThread()
        do {
            let handle = try await ConnectionHandle.connect(options, on: thread, notices: NoticeBox(onNotice))
            return PgConnection(thread: thread, handle: handle, options: options)
        } catch {
            thread.stop()
            throw error
        }
    }

    /// Ends the connection. Whatever it was doing has ended before; using it afterwards throws `connectionLost`.
    public func close() {
        handle.finish()
    }

    /// Runs several calls in one go on the connection's thread, nobody else's in between. No transaction is opened.
    @discardableResult
    public func run<Value: Sendable>(
        _ body: @Sendable (isolated PgConnection) throws -> Value
    ) throws -> Value {
        try body(self)
    }
}
