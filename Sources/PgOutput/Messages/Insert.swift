/// A new row.
public struct Insert: Sendable, Hashable {
    /// The table, by the identifier under which a ``Relation`` introduced it.
    public var relationID: UInt32
    public var new: Tuple

    public init(relationID: UInt32, new: Tuple) {
        self.relationID = relationID
        self.new = new
    }
}

extension Insert {
    /// Where the parts of an Insert lie within its bytes.
    public struct Frame: Sendable, Hashable {
        /// The table, by the identifier under which a ``Relation`` introduced it.
        public let relationID: UInt32
        public let new: TupleFrame

        @inlinable
        init(from cursor: inout WireCursor, in bytes: RawSpan) throws(PgOutputError) {
            relationID = try cursor.read(.relationID, in: bytes)
            let start = cursor.offset
            let tag = try cursor.read(.tupleTag, as: UInt8.self, in: bytes)
            guard tag == UInt8(ascii: "N") else {
                throw cursor.error(.unexpectedTag(tag, expected: "'N'"), .tupleTag, at: start)
            }
            new = try TupleFrame(from: &cursor, in: bytes)
        }
    }
}

extension Insert: WireMessage {
    init(from cursor: inout WireCursor, in bytes: RawSpan) throws(PgOutputError) {
        let frame = try Frame(from: &cursor, in: bytes)
        self.init(relationID: frame.relationID, new: try Tuple(frame.new, in: bytes))
    }
}
