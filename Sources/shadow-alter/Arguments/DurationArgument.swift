import ArgumentParser

/// A duration with its unit: `500ms`, `1s`, `2m`, `1.5h`, `7d`.
struct DurationArgument: ExpressibleByArgument, CustomStringConvertible {
    let duration: Duration
    private let text: String

    private static let units: [(suffix: String, milliseconds: Double)] = [
        ("ms", 1), ("s", 1_000), ("m", 60_000), ("h", 3_600_000), ("d", 86_400_000),
    ]

    init(milliseconds: Int) {
        duration = .milliseconds(milliseconds)
        text = milliseconds % 1000 == 0 ? "\(milliseconds / 1000)s" : "\(milliseconds)ms"
    }

    init?(argument: String) {
        let number = argument.prefix { $0.isNumber || $0 == "." }
        guard let value = Double(number), value.isFinite, value >= 0,
            let unit = Self.units.first(where: { $0.suffix == argument.dropFirst(number.count) })
        else { return nil }
        let milliseconds = value * unit.milliseconds
        guard milliseconds <= 1e13 else { return nil }
        duration = .milliseconds(milliseconds)
        text = argument
    }

    var description: String { text }
    var defaultValueDescription: String { text }
}
