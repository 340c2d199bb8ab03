/// A deleted row.
public struct Delete: Sendable, Hashable {
    /// The table, by the identifier under which a ``Relation`` introduced it.
    public var relationID: UInt32
    /// The row before: its key, or all of it if the replica identity is FULL.
    public var old: OldTuple

    public init(relationID: UInt32, old: OldTuple) {
        self.relationID = relationID
        self.old = old
    }
}

extension Delete {
    /// Where the parts of a Delete lie within its bytes.
    public struct Frame: Sendable, Hashable {
        /// The table, by the identifier under which a ``Relation`` introduced it.
        public let relationID: UInt32
        public let old: OldTupleFrame

        @inlinable
        init(from cursor: inout WireCursor, in bytes: RawSpan) throws(PgOutputError) {
            relationID = try cursor.read(.relationID, in: bytes)
            let start = cursor.offset
            let tag = try cursor.read(.tupleTag, as: UInt8.self, in: bytes)
            switch tag {
            case UInt8(ascii: "K"): old = .key(try TupleFrame(from: &cursor, in: bytes))
            case UInt8(ascii: "O"): old = .full(try TupleFrame(from: &cursor, in: bytes))
            default: throw cursor.error(.unexpectedTag(tag, expected: "'K' or 'O'"), .tupleTag, at: start)
            }
        }
    }
}

extension Delete: WireMessage {
    init(from cursor: inout WireCursor, in bytes: RawSpan) throws(PgOutputError) {
        let frame = try Frame(from: &cursor, in: bytes)
        self.init(relationID: frame.relationID, old: try OldTuple(frame.old, in: bytes))
    }
}
