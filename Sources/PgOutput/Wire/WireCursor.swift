/// A position within one message, and the reads that move it.
///
/// It does not hold the bytes: a type that stored a `RawSpan` could not be initialised without an experimental language
/// feature, so each read is handed the span instead. All reads check first and throw; none can trap, whatever span they
/// are handed, since `offset` is never negative and a remainder below zero merely reads as "too short".
@usableFromInline
struct WireCursor: Sendable, Hashable {
    @usableFromInline var offset: Int
    @usableFromInline let messageType: MessageType

    /// A cursor behind the first byte of a message whose type is known already.
    ///
    /// This and ``init(openingMessageIn:)`` are the places where the transaction id of streamed messages (protocol
    /// version 2) will be read, before any body.
    @inlinable
    init(bodyOf messageType: MessageType) {
        self.offset = 1
        self.messageType = messageType
    }

    /// Reads the type of a message.
    init(openingMessageIn bytes: RawSpan) throws(PgOutputError) {
        guard bytes.byteCount > 0 else {
            throw PgOutputError(
                .truncated(needed: 1, available: 0), messageType: nil, field: .messageType, offset: 0)
        }
        let tag = bytes.unsafeLoad(fromByteOffset: 0, as: UInt8.self)
        guard let messageType = MessageType(rawValue: tag) else {
            let reason: PgOutputError.Reason =
                if let (name, version) = MessageType.later(tag) {
                    .unsupportedMessageType(tag, name: name, protocolVersion: version)
                } else {
                    .unknownMessageType(tag)
                }
            throw PgOutputError(reason, messageType: nil, field: .messageType, offset: 0)
        }
        self.init(bodyOf: messageType)
    }

    /// Ends the reading: nothing may be left.
    @inlinable
    func finish(in bytes: RawSpan) throws(PgOutputError) {
        let surplus = bytes.byteCount - offset
        guard surplus == 0 else { throw error(.trailingBytes(count: surplus), .endOfMessage) }
    }

    /// Reads one integer in network byte order.
    @inlinable
    @inline(__always)
    mutating func read<Integer: FixedWidthInteger & BitwiseCopyable>(
        _ field: PgOutputField, as type: Integer.Type = Integer.self, in bytes: RawSpan
    ) throws(PgOutputError) -> Integer {
        let size = MemoryLayout<Integer>.size
        try require(size, field, in: bytes)
        let value = Integer(bigEndian: bytes.unsafeLoadUnaligned(fromByteOffset: offset, as: type))
        offset += size
        return value
    }

    /// Reads a length in bytes, and moves past both it and the bytes that it announces.
    @inlinable
    @inline(__always)
    mutating func readCounted(
        length lengthField: PgOutputField, _ field: PgOutputField, in bytes: RawSpan
    ) throws(PgOutputError) -> Range<Int> {
        let start = offset
        let length = Int(try read(lengthField, as: Int32.self, in: bytes))
        guard length >= 0 else { throw error(.negativeCount(length), lengthField, at: start) }
        try require(length, field, in: bytes)
        let range = offset..<offset + length
        offset += length
        return range
    }

    /// Reads a number of elements, of which each takes at least `minimumSize` bytes of what follows, so that memory
    /// reserved for them is never more than a small multiple of the message's own size.
    @inlinable
    @inline(__always)
    mutating func readCount<Integer: FixedWidthInteger & BitwiseCopyable>(
        _ field: PgOutputField, as type: Integer.Type, minimumSize: Int, in bytes: RawSpan
    ) throws(PgOutputError) -> Int {
        let start = offset
        let count = Int(try read(field, as: type, in: bytes))
        guard count >= 0 else { throw error(.negativeCount(count), field, at: start) }
        let available = bytes.byteCount - offset
        guard count <= available / minimumSize else {
            throw error(.countExceedsMessage(count: count, availableBytes: available), field, at: start)
        }
        return count
    }

    /// Moves past bytes that are all `byte`, eight and then four at a time; what is left of them is for others to read.
    ///
    /// - Returns: how many, from 0 to `limit`.
    @inlinable
    @inline(__always)
    mutating func skip(_ byte: UInt8, atMost limit: Int, in bytes: RawSpan) -> Int {
        let start = offset
        while limit - (offset - start) >= 8, bytes.byteCount - offset >= 8,
            bytes.unsafeLoadUnaligned(fromByteOffset: offset, as: UInt64.self) == 0x0101_0101_0101_0101 * UInt64(byte)
        {
            offset += 8
        }
        if limit - (offset - start) >= 4, bytes.byteCount - offset >= 4,
            bytes.unsafeLoadUnaligned(fromByteOffset: offset, as: UInt32.self) == 0x0101_0101 * UInt32(byte)
        {
            offset += 4
        }
        return offset - start
    }

    @inlinable
    @inline(__always)
    func require(_ size: Int, _ field: PgOutputField, in bytes: RawSpan) throws(PgOutputError) {
        let available = bytes.byteCount - offset
        guard available >= size else {
            throw error(.truncated(needed: size, available: max(available, 0)), field)
        }
    }

    /// An error about `field`, which begins at `start`, or where the cursor is.
    @inlinable
    func error(_ reason: PgOutputError.Reason, _ field: PgOutputField, at start: Int? = nil) -> PgOutputError {
        PgOutputError(reason, messageType: messageType, field: field, offset: start ?? offset)
    }
}
