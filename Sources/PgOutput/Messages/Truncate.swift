/// Tables that one TRUNCATE emptied, those among them that are published.
public struct Truncate: Sendable, Hashable {
    /// The tables, by the identifiers under which ``Relation`` messages introduced them.
    public var relationIDs: [UInt32]
    /// Whether CASCADE was given.
    public var cascade: Bool
    /// Whether RESTART IDENTITY was given.
    public var restartIdentity: Bool

    public init(relationIDs: [UInt32], cascade: Bool = false, restartIdentity: Bool = false) {
        self.relationIDs = relationIDs
        self.cascade = cascade
        self.restartIdentity = restartIdentity
    }
}

extension Truncate: WireMessage {
    /// `TRUNCATE_CASCADE` and `TRUNCATE_RESTART_SEQS` in src/backend/replication/logical/proto.c.
    private static let cascadeFlag: UInt8 = 1
    private static let restartFlag: UInt8 = 2

    init(from cursor: inout WireCursor, in bytes: RawSpan) throws(PgOutputError) {
        let count = try cursor.readCount(
            .relationCount, as: Int32.self, minimumSize: MemoryLayout<UInt32>.size, in: bytes)
        let flags = try cursor.readFlags(.truncateOptions, known: Self.cascadeFlag | Self.restartFlag, in: bytes)
        cascade = flags & Self.cascadeFlag != 0
        restartIdentity = flags & Self.restartFlag != 0
        relationIDs = []
        relationIDs.reserveCapacity(count)
        for _ in 0..<count {
            relationIDs.append(try cursor.read(.relationID, in: bytes))
        }
    }
}
