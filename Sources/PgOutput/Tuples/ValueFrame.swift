/// Where one value of a row lies within the message's bytes.
public struct ValueFrame: Sendable, Hashable {
    /// How a value is sent: the byte in front of it (src/include/replication/logicalproto.h).
    public enum Kind: UInt8, Sendable, Hashable {
        case null = 0x6E  // n
        /// An out-of-line value that the change did not touch, and that is therefore not sent.
        case unchangedToast = 0x75  // u
        /// In the text format of the type.
        case text = 0x74  // t
        /// In the binary format of the type: only if replication was started with `binary 'true'` (PostgreSQL 14+).
        case binary = 0x62  // b
    }

    public let kind: Kind
    /// The value's bytes, without the length; empty for ``Kind/null`` and ``Kind/unchangedToast``, but also for an
    /// empty text. For the message that the frame was made from, `bytes.extracting(byteRange)` is the value.
    public let byteRange: Range<Int>

    @inlinable
    init(kind: Kind, byteRange: Range<Int>) {
        self.kind = kind
        self.byteRange = byteRange
    }

    @inlinable
    @inline(__always)
    init(from cursor: inout WireCursor, in bytes: RawSpan) throws(PgOutputError) {
        let start = cursor.offset
        let tag = try cursor.read(.valueKind, as: UInt8.self, in: bytes)
        switch tag {
        case UInt8(ascii: "t"):
            self.init(kind: .text, byteRange: try cursor.readCounted(length: .valueLength, .value, in: bytes))
        case UInt8(ascii: "b"):
            self.init(kind: .binary, byteRange: try cursor.readCounted(length: .valueLength, .value, in: bytes))
        case UInt8(ascii: "n"):
            self.init(kind: .null, byteRange: cursor.offset..<cursor.offset)
        case UInt8(ascii: "u"):
            self.init(kind: .unchangedToast, byteRange: cursor.offset..<cursor.offset)
        default:
            throw cursor.error(.unexpectedTag(tag, expected: "'n', 'u', 't' or 'b'"), .valueKind, at: start)
        }
    }
}
