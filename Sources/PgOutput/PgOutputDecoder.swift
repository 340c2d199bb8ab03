/// Decodes the messages of PostgreSQL's `pgoutput` plugin, logical replication protocol version 1.
///
/// Two layers read the same wire layouts:
/// - ``decode(_:)-(RawSpan)`` returns any message as a value with storage of its own;
/// - ``rowFrame(_:)`` says where the parts of an Insert, Update or Delete lie within the bytes, and allocates nothing.
///
/// Give it the payload of one XLogData message (`w`) at a time, in stream order. No input makes it trap; whatever is
/// not a complete, well-formed message of protocol 1 is a ``PgOutputError``, and an error leaves the decoder unchanged.
/// It needs no memory beyond what the bytes that are really there fill, whatever lengths they claim.
///
/// It assumes `client_encoding = UTF8`, into which the server converts names and text values.
///
/// Both methods are `mutating` because of protocol versions 2 to 4: between Stream Start and Stream Stop a transaction
/// id precedes the body of each message, so the decoder will have to remember where it is. For version 1 there is
/// nothing to remember.
public struct PgOutputDecoder: Sendable {
    public init() {}

    /// Decodes one message.
    ///
    /// - Throws: ``PgOutputError``, with the field and its offset, unless `bytes` are exactly one message.
    public mutating func decode(_ bytes: RawSpan) throws(PgOutputError) -> PgOutputMessage {
        var cursor = try WireCursor(openingMessageIn: bytes)
        let message: PgOutputMessage
        switch cursor.messageType {
        case .begin: message = .begin(try Begin(from: &cursor, in: bytes))
        case .commit: message = .commit(try Commit(from: &cursor, in: bytes))
        case .origin: message = .origin(try Origin(from: &cursor, in: bytes))
        case .relation: message = .relation(try Relation(from: &cursor, in: bytes))
        case .type: message = .type(try TypeMessage(from: &cursor, in: bytes))
        case .insert: message = .insert(try Insert(from: &cursor, in: bytes))
        case .update: message = .update(try Update(from: &cursor, in: bytes))
        case .delete: message = .delete(try Delete(from: &cursor, in: bytes))
        case .truncate: message = .truncate(try Truncate(from: &cursor, in: bytes))
        case .message: message = .message(try LogicalMessage(from: &cursor, in: bytes))
        }
        try cursor.finish(in: bytes)
        return message
    }

    /// Decodes one message from an array.
    ///
    /// - Throws: ``PgOutputError``, as ``decode(_:)-(RawSpan)`` does.
    public mutating func decode(_ bytes: [UInt8]) throws(PgOutputError) -> PgOutputMessage {
        try decode(bytes.span.bytes)
    }

    /// Checks a whole row message and says where its parts are, without allocating.
    ///
    /// - Returns: `nil` if `bytes` begin with anything but an Insert, Update or Delete; ``decode(_:)-(RawSpan)`` is
    ///   then the one to ask. The frame's offsets refer to `bytes`.
    /// - Throws: ``PgOutputError``, exactly where ``decode(_:)-(RawSpan)`` would, if it is a malformed row message.
    @inlinable
    public mutating func rowFrame(_ bytes: RawSpan) throws(PgOutputError) -> RowFrame? {
        guard bytes.byteCount > 0 else { return nil }
        let frame: RowFrame
        var cursor: WireCursor
        switch bytes.unsafeLoad(fromByteOffset: 0, as: UInt8.self) {
        case UInt8(ascii: "I"):
            cursor = WireCursor(bodyOf: .insert)
            frame = .insert(try Insert.Frame(from: &cursor, in: bytes))
        case UInt8(ascii: "U"):
            cursor = WireCursor(bodyOf: .update)
            frame = .update(try Update.Frame(from: &cursor, in: bytes))
        case UInt8(ascii: "D"):
            cursor = WireCursor(bodyOf: .delete)
            frame = .delete(try Delete.Frame(from: &cursor, in: bytes))
        default:
            return nil
        }
        try cursor.finish(in: bytes)
        return frame
    }
}
