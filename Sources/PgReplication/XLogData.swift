import CLibPQ
import PgOutput

/// One message of the stream. It owns libpq's buffer: nothing is copied, and the bytes live as long as the value.
public struct XLogData: ~Copyable {
    /// Where the message's data begins in the log; 0 for what is not in the log (Relation, Type).
    public let walStart: LSN
    /// The end of the log on the server when it sent this.
    public let walEnd: LSN
    /// The server's clock: microseconds since 2000-01-01 00:00 UTC.
    public let sendTime: Int64
    private let buffer: CopyBuffer

    init(walStart: LSN, walEnd: LSN, sendTime: Int64, buffer: consuming CopyBuffer) {
        self.walStart = walStart
        self.walEnd = walEnd
        self.sendTime = sendTime
        self.buffer = buffer
    }

    /// The length of the payload in bytes.
    public var byteCount: Int { buffer.payload.count }

    /// The payload, one pgoutput message, for as long as `body` runs.
    public func withPayload<Value, Failure: Error>(_ body: (RawSpan) throws(Failure) -> Value) throws(Failure) -> Value
    {
        try body(buffer.payload.bytes)
    }
}

/// A buffer that libpq has allocated.
struct CopyBuffer: ~Copyable {
    private let pointer: UnsafeMutablePointer<CChar>
    let bytes: UnsafeRawBufferPointer

    init(owning pointer: UnsafeMutablePointer<CChar>, count: Int) {
        self.pointer = pointer
        bytes = UnsafeRawBufferPointer(start: pointer, count: count)
    }

    deinit {
        PQfreemem(pointer)
    }

    /// nil when it is not a message that the protocol knows.
    var frame: ReplicationFrame? { ReplicationFrame(bytes.bytes) }

    var payload: UnsafeRawBufferPointer {
        UnsafeRawBufferPointer(rebasing: bytes.dropFirst(ReplicationFrame.payloadOffset))
    }
}
