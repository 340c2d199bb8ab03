/// Where one row's values lie within the message's bytes.
///
///     var values = frame.values
///     while let value = try values.next(in: bytes) {
///         use(value.kind, bytes.extracting(value.byteRange))
///     }
///
/// Nothing of this allocates. The `bytes` must be those that the frame was made from.
public struct TupleFrame: Sendable, Hashable {
    @usableFromInline let start: WireCursor
    @usableFromInline let end: Int
    /// The number of values, one for each column of the Relation message, in its order: 0 to 32,767.
    public let count: Int

    /// Checks the values one after the other and moves past them.
    @inlinable
    @inline(__always)
    init(from cursor: inout WireCursor, in bytes: RawSpan) throws(PgOutputError) {
        count = try cursor.readCount(.valueCount, as: Int16.self, minimumSize: 1, in: bytes)
        start = cursor
        var remaining = count
        while remaining > 0 {
            let value = try ValueFrame(from: &cursor, in: bytes)
            remaining -= 1
            // An old key has a null for every other column of the table: a hundred of them are soon there.
            if value.kind == .null { remaining -= cursor.skip(UInt8(ascii: "n"), atMost: remaining, in: bytes) }
        }
        end = cursor.offset
    }

    /// The values as they lie on the wire, each with its kind and length in front: equal ranges of bytes are equal rows.
    @inlinable
    public var byteRange: Range<Int> { start.offset..<end }

    /// The values, from the first.
    @inlinable
    public var values: Values { Values(cursor: start, remaining: count) }

    /// The value of one column; `nil` if there is no such column. Takes time in proportion to `column`.
    ///
    /// - Parameters:
    ///   - column: the column's index, from 0.
    ///   - bytes: the message that the frame was made from.
    /// - Throws: ``PgOutputError`` if `bytes` are not those that the frame was made from.
    @inlinable
    public func value(at column: Int, in bytes: RawSpan) throws(PgOutputError) -> ValueFrame? {
        guard column >= 0, column < count else { return nil }
        var values = values
        for _ in 0..<column {
            _ = try values.next(in: bytes)
        }
        return try values.next(in: bytes)
    }

    /// Walks over the values of one row.
    public struct Values: Sendable {
        @usableFromInline var cursor: WireCursor
        @usableFromInline var remaining: Int

        @inlinable
        init(cursor: WireCursor, remaining: Int) {
            self.cursor = cursor
            self.remaining = remaining
        }

        /// The next value; `nil` after the last.
        ///
        /// - Parameter bytes: the message that the frame was made from.
        /// - Throws: ``PgOutputError`` if `bytes` are not those that the frame was made from.
        @inlinable
        public mutating func next(in bytes: RawSpan) throws(PgOutputError) -> ValueFrame? {
            guard remaining > 0 else { return nil }
            let value = try ValueFrame(from: &cursor, in: bytes)
            remaining -= 1
            return value
        }
    }
}
