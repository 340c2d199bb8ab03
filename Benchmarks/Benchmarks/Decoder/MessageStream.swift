import PgOutput

/// Messages to decode, one after the other.
struct MessageStream: Sendable {
    private(set) var bytes: [UInt8] = []
    private(set) var ranges: [Range<Int>] = []

    /// About so many bytes of messages: more than the first-level cache has, so that no message is there from the pass
    /// before, and less than the second-level one, as of messages that libpq has just copied.
    private static let size = 1 << 20

    /// - Parameter message: makes a message of a number.
    init(_ message: (Int) -> [UInt8]) {
        while bytes.count < Self.size { append(message(ranges.count)) }
    }

    /// The same messages again and again.
    init(repeating messages: [[UInt8]]) {
        while bytes.count < Self.size, !messages.isEmpty {
            for message in messages { append(message) }
        }
    }

    private mutating func append(_ message: [UInt8]) {
        ranges.append(bytes.count..<bytes.count + message.count)
        bytes += message
    }

    /// Bytes of messages in one pass.
    var byteCount: Int { bytes.count }

    /// Calls `body` with each message.
    @inline(__always)
    func eachMessage(_ body: (RawSpan) throws -> Void) rethrows {
        let all = bytes.span.bytes
        for range in ranges { try body(all.extracting(range)) }
    }
}
