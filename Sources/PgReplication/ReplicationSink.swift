import PgOutput

/// Where the stream goes. Everything is called on the connection's thread and must not block: while a call runs, no status
/// update is sent, and after `wal_sender_timeout` without one the server ends the stream.
public protocol ReplicationSink: Sendable {
    /// One message. What it throws ends the stream, and `stream` throws it.
    func receive(_ data: borrowing XLogData) throws
    /// Everything before `end` has been delivered.
    func receive(keepalive end: LSN) throws
    /// Durable up to here; status updates report it as written, flushed and applied, and the server may drop the log before
    /// it. nil confirms nothing. A value below an earlier one is not sent.
    var confirmed: LSN? { get }
    /// false: stop reading from the server (back-pressure), but go on sending status updates. When it becomes true again,
    /// call `wake()`.
    var wantsMore: Bool { get }
}
