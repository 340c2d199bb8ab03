/// A log sequence number: a byte position in the write-ahead log of one PostgreSQL cluster.
///
/// Any 64-bit value is a valid position; 0 is what PostgreSQL calls `InvalidXLogRecPtr`, "no position".
/// The text form is that of the server's `pg_lsn` type (src/backend/utils/adt/pg_lsn.c): the upper and the lower
/// 32 bits in hexadecimal with a slash between them, `16/B374D848`.
public struct LSN: RawRepresentable, Comparable, Hashable, Sendable {
    /// The position, in bytes from the beginning of the log.
    public var rawValue: UInt64

    public init(rawValue: UInt64) {
        self.rawValue = rawValue
    }

    /// "No position": `InvalidXLogRecPtr`.
    public static let invalid = LSN(rawValue: 0)

    public static func < (left: LSN, right: LSN) -> Bool {
        left.rawValue < right.rawValue
    }
}

extension LSN: LosslessStringConvertible {
    /// Upper-case hexadecimal without leading zeros, as PostgreSQL 14 to 18 print it (`%X/%X`).
    public var description: String {
        let upper = String(rawValue >> 32, radix: 16, uppercase: true)
        let lower = String(rawValue & 0xFFFF_FFFF, radix: 16, uppercase: true)
        return "\(upper)/\(lower)"
    }

    /// Parses what `pg_lsn_in` accepts: one to eight hexadecimal digits of either case, a slash, one to eight digits.
    /// Nothing else, not even a space or a sign; anything else is `nil`.
    public init?(_ description: String) {
        let halves = description.utf8.split(separator: UInt8(ascii: "/"), omittingEmptySubsequences: false)
        guard halves.count == 2, let upper = Self.half(halves[0]), let lower = Self.half(halves[1]) else { return nil }
        self.init(rawValue: upper << 32 | lower)
    }

    /// One half of the text form. `UInt32(_:radix:)` would not do: it accepts a sign and any number of digits.
    private static func half(_ digits: Substring.UTF8View) -> UInt64? {
        guard (1...8).contains(digits.count) else { return nil }
        var value: UInt64 = 0
        for digit in digits {
            switch digit {
            case UInt8(ascii: "0")...UInt8(ascii: "9"): value = value << 4 | UInt64(digit - UInt8(ascii: "0"))
            case UInt8(ascii: "a")...UInt8(ascii: "f"): value = value << 4 | UInt64(digit - UInt8(ascii: "a") + 10)
            case UInt8(ascii: "A")...UInt8(ascii: "F"): value = value << 4 | UInt64(digit - UInt8(ascii: "A") + 10)
            default: return nil
            }
        }
        return value
    }
}
