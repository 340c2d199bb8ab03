/// The end of a transaction that began with ``Begin``.
public struct Commit: Sendable, Hashable {
    /// Always 0 in protocol version 1; any other value is refused, as PostgreSQL's own subscriber does
    /// (`logicalrep_read_commit` in src/backend/replication/logical/proto.c).
    public var flags: UInt8
    /// Where the commit record begins.
    public var commitLSN: LSN
    /// Where the commit record ends: what to confirm once the transaction is safe.
    public var endLSN: LSN
    /// Microseconds since 2000-01-01 00:00 UTC.
    public var commitTimestamp: Int64

    public init(flags: UInt8 = 0, commitLSN: LSN, endLSN: LSN, commitTimestamp: Int64) {
        self.flags = flags
        self.commitLSN = commitLSN
        self.endLSN = endLSN
        self.commitTimestamp = commitTimestamp
    }
}

extension Commit: WireMessage {
    init(from cursor: inout WireCursor, in bytes: RawSpan) throws(PgOutputError) {
        flags = try cursor.readFlags(.flags, known: 0, in: bytes)
        commitLSN = try cursor.readLSN(.commitLSN, in: bytes)
        endLSN = try cursor.readLSN(.endLSN, in: bytes)
        commitTimestamp = try cursor.read(.commitTimestamp, in: bytes)
    }
}
