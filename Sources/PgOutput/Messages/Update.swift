/// A changed row.
public struct Update: Sendable, Hashable {
    /// The table, by the identifier under which a ``Relation`` introduced it.
    public var relationID: UInt32
    /// The row before: its key if a key column changed (or a key column is stored out of line), all of it if the
    /// replica identity is FULL, else `nil`, and the key is found in ``new``.
    public var old: OldTuple?
    public var new: Tuple

    public init(relationID: UInt32, old: OldTuple?, new: Tuple) {
        self.relationID = relationID
        self.old = old
        self.new = new
    }
}

extension Update {
    /// Where the parts of an Update lie within its bytes.
    public struct Frame: Sendable, Hashable {
        /// The table, by the identifier under which a ``Relation`` introduced it.
        public let relationID: UInt32
        /// The row before, where it is sent: see ``Update/old``.
        public let old: OldTupleFrame?
        public let new: TupleFrame

        @inlinable
        init(from cursor: inout WireCursor, in bytes: RawSpan) throws(PgOutputError) {
            relationID = try cursor.read(.relationID, in: bytes)
            var start = cursor.offset
            var tag = try cursor.read(.tupleTag, as: UInt8.self, in: bytes)
            var expected = "'K', 'O' or 'N'"
            if tag == UInt8(ascii: "N") {
                old = nil
            } else {
                if tag == UInt8(ascii: "K") {
                    old = .key(try TupleFrame(from: &cursor, in: bytes))
                } else if tag == UInt8(ascii: "O") {
                    old = .full(try TupleFrame(from: &cursor, in: bytes))
                } else {
                    throw cursor.error(.unexpectedTag(tag, expected: expected), .tupleTag, at: start)
                }
                start = cursor.offset
                tag = try cursor.read(.tupleTag, as: UInt8.self, in: bytes)
                expected = "'N'"
            }
            guard tag == UInt8(ascii: "N") else {
                throw cursor.error(.unexpectedTag(tag, expected: expected), .tupleTag, at: start)
            }
            new = try TupleFrame(from: &cursor, in: bytes)
        }
    }
}

extension Update: WireMessage {
    init(from cursor: inout WireCursor, in bytes: RawSpan) throws(PgOutputError) {
        let frame = try Frame(from: &cursor, in: bytes)
        let old: OldTuple? = if let old = frame.old { try OldTuple(old, in: bytes) } else { nil }
        self.init(relationID: frame.relationID, old: old, new: try Tuple(frame.new, in: bytes))
    }
}
