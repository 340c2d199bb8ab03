/// A duration with its unit, as people write it: `500ms`, `1s`, `2m`, `1.5h`, `7d`.
public struct DurationText: Sendable, Equatable, CustomStringConvertible {
    public let duration: Duration

    private static let units: [(suffix: String, milliseconds: Double)] = [
        ("ms", 1), ("s", 1_000), ("m", 60_000), ("h", 3_600_000), ("d", 86_400_000),
    ]

    public init(_ duration: Duration) { self.duration = duration }

    /// nil for a text without unit, unless it is `0`, with another unit, negative, or beyond 300 years.
    public init?(_ text: String) {
        if text == "0" {
            duration = .zero
            return
        }
        let number = text.prefix { $0.isNumber || $0 == "." }
        guard let value = Double(number), value.isFinite, value >= 0,
            let unit = Self.units.first(where: { $0.suffix == text.dropFirst(number.count) })
        else { return nil }
        let milliseconds = value * unit.milliseconds
        guard milliseconds <= 1e13 else { return nil }
        duration = .milliseconds(milliseconds)
    }

    /// In the largest unit that needs no fraction.
    public var description: String {
        let milliseconds = duration.milliseconds
        let unit = Self.units.last {
            milliseconds >= $0.milliseconds && milliseconds.remainder(dividingBy: $0.milliseconds) == 0
        }
        let (suffix, size) = unit ?? ("ms", 1)
        let value = milliseconds / size
        return (value == value.rounded() ? "\(Int64(value))" : "\(value)") + suffix
    }
}
