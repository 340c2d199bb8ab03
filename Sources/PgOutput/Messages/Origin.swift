/// Follows ``Begin`` when the transaction was replayed from another node, under a replication origin.
public struct Origin: Sendable, Hashable {
    /// Where the transaction was committed on the node it came from; ``LSN/invalid`` if that was not recorded.
    public var commitLSN: LSN
    /// The origin's name, `pg_replication_origin.roname`.
    public var name: String

    public init(commitLSN: LSN, name: String) {
        self.commitLSN = commitLSN
        self.name = name
    }
}

extension Origin: WireMessage {
    init(from cursor: inout WireCursor, in bytes: RawSpan) throws(PgOutputError) {
        commitLSN = try cursor.readLSN(.commitLSN, in: bytes)
        name = try cursor.readString(.originName, in: bytes)
    }
}
