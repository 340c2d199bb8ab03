import ArgumentParser

/// A number of bytes with its unit, in powers of 1024 as PostgreSQL counts them: `64MB`, `10GB`.
struct SizeArgument: ExpressibleByArgument, CustomStringConvertible {
    let bytes: Int64
    private let text: String

    private static let units: [(suffix: String, shift: Int)] = [
        ("kB", 10), ("MB", 20), ("GB", 30), ("TB", 40), ("B", 0),
    ]

    init(gigabytes: Int) {
        bytes = Int64(gigabytes) << 30
        text = "\(gigabytes)GB"
    }

    init?(argument: String) {
        let number = argument.prefix { $0.isNumber || $0 == "." }
        guard let value = Double(number), value.isFinite,
            let unit = Self.units.first(where: { $0.suffix == argument.dropFirst(number.count) })
        else { return nil }
        let bytes = value * Double(Int64(1) << unit.shift)
        guard bytes >= 1, bytes < 1e18 else { return nil }
        self.bytes = Int64(bytes)
        text = argument
    }

    var description: String { text }
    var defaultValueDescription: String { text }
}
