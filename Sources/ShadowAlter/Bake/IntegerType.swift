/// PostgreSQL's integer types, by the names that `format_type` prints.
enum IntegerType: String, CaseIterable, Comparable {
    case smallint
    case integer
    case bigint

    static func < (left: Self, right: Self) -> Bool { left.bounds.upperBound < right.bounds.upperBound }

    var bounds: ClosedRange<Int64> {
        switch self {
        case .smallint: Int64(Int16.min)...Int64(Int16.max)
        case .integer: Int64(Int32.min)...Int64(Int32.max)
        case .bigint: Int64.min...Int64.max
        }
    }

    static func areBoth(_ first: String, _ second: String) -> Bool {
        Self(rawValue: first) != nil && Self(rawValue: second) != nil
    }
}
