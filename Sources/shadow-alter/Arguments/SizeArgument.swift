import ArgumentParser
import ShadowAlter

/// A number of bytes with its unit, in powers of 1024 as PostgreSQL counts them: `64MB`, `10GB`.
struct SizeArgument: ExpressibleByArgument, CustomStringConvertible {
    let bytes: Int64
    private let text: String

    init(gigabytes: Int) {
        bytes = Int64(gigabytes) << 30
        text = "\(gigabytes)GB"
    }

    init?(argument: String) {
        guard let bytes = SizeText(argument)?.bytes else { return nil }
        self.bytes = bytes
        text = argument
    }

    var description: String { text }
    var defaultValueDescription: String { text }
}
