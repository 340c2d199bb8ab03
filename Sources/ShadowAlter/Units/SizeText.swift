/// A number of bytes with its unit, in powers of 1024 as PostgreSQL counts them: `64MB`, `10GB`.
public struct SizeText: Sendable, Equatable, CustomStringConvertible {
    public let bytes: Int64

    private static let units: [(suffix: String, shift: Int)] = [
        ("kB", 10), ("MB", 20), ("GB", 30), ("TB", 40), ("B", 0),
    ]

    public init(bytes: Int64) { self.bytes = bytes }

    /// nil for a text without unit, with another one, below one byte, or beyond 10^18.
    public init?(_ text: String) {
        let number = text.prefix { $0.isNumber || $0 == "." }
        guard let value = Double(number), value.isFinite,
            let unit = Self.units.first(where: { $0.suffix == text.dropFirst(number.count) })
        else { return nil }
        let bytes = value * Double(Int64(1) << unit.shift)
        guard bytes >= 1, bytes < 1e18 else { return nil }
        self.bytes = Int64(bytes)
    }

    /// In the largest unit that needs no fraction.
    public var description: String {
        let unit = Self.units.filter { bytes % (Int64(1) << $0.shift) == 0 }.max { $0.shift < $1.shift }
        return "\(bytes >> (unit?.shift ?? 0))\(unit?.suffix ?? "B")"
    }
}
