/// The beginning of a transaction. Its changes follow, and then its ``Commit``.
public struct Begin: Sendable, Hashable {
    /// Where the transaction's commit record begins: equal to ``Commit/commitLSN``.
    public var finalLSN: LSN
    /// When it was committed: microseconds since 2000-01-01 00:00 UTC.
    public var commitTimestamp: Int64
    /// The top-level transaction's id: the lower 32 bits of what `pg_current_xact_id()` returned.
    public var xid: UInt32

    public init(finalLSN: LSN, commitTimestamp: Int64, xid: UInt32) {
        self.finalLSN = finalLSN
        self.commitTimestamp = commitTimestamp
        self.xid = xid
    }
}

extension Begin: WireMessage {
    init(from cursor: inout WireCursor, in bytes: RawSpan) throws(PgOutputError) {
        finalLSN = try cursor.readLSN(.finalLSN, in: bytes)
        commitTimestamp = try cursor.read(.commitTimestamp, in: bytes)
        xid = try cursor.read(.xid, in: bytes)
    }
}
