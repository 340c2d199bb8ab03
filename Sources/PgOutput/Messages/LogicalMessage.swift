/// What somebody wrote with `pg_logical_emit_message`; sent only if replication was started with `messages 'true'`
/// (PostgreSQL 14+).
public struct LogicalMessage: Sendable, Hashable {
    /// Whether it is part of a transaction, and comes between its ``Begin`` and ``Commit``. If not, it is sent as soon
    /// as it is read from the log, between transactions.
    public var isTransactional: Bool
    /// Where the message's record ends in the log: what `pg_logical_emit_message` returned to its writer.
    public var lsn: LSN
    public var prefix: String
    /// Whatever the writer put there: bytes of no particular encoding.
    public var content: [UInt8]

    public init(isTransactional: Bool, lsn: LSN, prefix: String, content: [UInt8]) {
        self.isTransactional = isTransactional
        self.lsn = lsn
        self.prefix = prefix
        self.content = content
    }
}

extension LogicalMessage: WireMessage {
    /// `MESSAGE_TRANSACTIONAL` in src/backend/replication/logical/proto.c.
    private static let transactionalFlag: UInt8 = 1

    init(from cursor: inout WireCursor, in bytes: RawSpan) throws(PgOutputError) {
        let flags = try cursor.readFlags(.flags, known: Self.transactionalFlag, in: bytes)
        isTransactional = flags & Self.transactionalFlag != 0
        lsn = try cursor.readLSN(.messageLSN, in: bytes)
        prefix = try cursor.readString(.messagePrefix, in: bytes)
        content = bytes.copy(try cursor.readCounted(length: .contentLength, .content, in: bytes))
    }
}
