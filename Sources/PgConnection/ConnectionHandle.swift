import CLibPQ

/// Owns libpq's connection. Only the connection's thread uses it, but for `requestCancel`, which any thread may call.
package final class ConnectionHandle: @unchecked Sendable {
    /// libpq's connection; nil after `finish()`.
    package private(set) var pointer: OpaquePointer?
    let cancellation: StatementCancellation
    private let notices: NoticeBox

    init(owning pointer: OpaquePointer, notices: NoticeBox) {
        self.pointer = pointer
        self.notices = notices
        cancellation = StatementCancellation(pointer)
        PQsetNoticeReceiver(pointer, NoticeBox.receive, Unmanaged.passUnretained(notices).toOpaque())
    }

    deinit {
        finish()
    }

    /// Ends the connection; the server rolls back what is open.
    package func finish() {
        PQfinish(pointer)
        pointer = nil
    }

    /// Connects on `thread`, where libpq may block for as long as `connect_timeout` says. Throws `connectionFailed`.
    package static func connect(_ options: ConnectionOptions, on thread: ConnectionThread) async throws
        -> ConnectionHandle
    {
        try await connect(options, on: thread, notices: NoticeBox { _ in })
    }

    static func connect(_ options: ConnectionOptions, on thread: ConnectionThread, notices: NoticeBox) async throws
        -> ConnectionHandle
    {
        try await Connector(thread: thread).connect(options, notices: notices)
    }
}

/// Connecting blocks too, so it has to run on the thread that the connection will have.
private actor Connector {
    let thread: ConnectionThread

    nonisolated var unownedExecutor: UnownedSerialExecutor { thread.asUnownedSerialExecutor() }

    init(thread: ConnectionThread) {
        self.thread = thread
    }

    func connect(_ options: ConnectionOptions, notices: NoticeBox) throws -> ConnectionHandle {
        let pairs = options.keywords
        guard !pairs.contains(where: { $0.value.hasNUL }) else {
            throw PgError(
                code: .connectionFailed,
                message: "the connection options hold a NUL character, which libpq cannot take; nothing was tried")
        }
        if let complaint = ConninfoCheck.complaint(options.conninfo) {
            throw PgError(code: .connectionFailed, message: complaint)
        }
        let pointer = withCStrings(pairs.map(\.keyword)) { keywords in
            withCStrings(pairs.map(\.value)) { values in
                PQconnectdbParams(keywords, values, 1)
            }
        }
        guard let pointer else {
            throw PgError(code: .connectionFailed, message: "libpq is out of memory")
        }
        guard PQstatus(pointer) == CONNECTION_OK else {
            let message = String(cString: PQerrorMessage(pointer)).trimmingNewlines()
            PQfinish(pointer)
            throw PgError(code: .connectionFailed, message: message)
        }
        let handle = ConnectionHandle(owning: pointer, notices: notices)
        options.registry?.add(handle.cancellation, pid: PQbackendPID(pointer))
        try handle.apply(options.settings)
        try handle.applyUnlessGiven(options.fallbacks)
        return handle
    }
}
