/// The values of one row, one for each column of its Relation message, in its order.
public struct Tuple: Sendable, Hashable, ExpressibleByArrayLiteral {
    public var values: [TupleValue]

    public init(_ values: [TupleValue]) {
        self.values = values
    }

    public init(arrayLiteral elements: TupleValue...) {
        self.init(elements)
    }

    init(_ frame: TupleFrame, in bytes: RawSpan) throws(PgOutputError) {
        var decoded: [TupleValue] = []
        decoded.reserveCapacity(frame.count)
        var values = frame.values
        while let value = try values.next(in: bytes) {
            decoded.append(TupleValue(value, in: bytes))
        }
        self.init(decoded)
    }
}

extension Tuple: RandomAccessCollection {
    public var startIndex: Int { values.startIndex }
    public var endIndex: Int { values.endIndex }

    public subscript(column: Int) -> TupleValue { values[column] }
}
