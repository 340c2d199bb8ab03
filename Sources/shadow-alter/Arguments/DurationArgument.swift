import ArgumentParser
import ShadowAlter

/// A duration with its unit: `500ms`, `1s`, `2m`, `1.5h`, `7d`.
struct DurationArgument: ExpressibleByArgument, CustomStringConvertible {
    let duration: Duration
    private let text: String

    init(milliseconds: Int) {
        duration = .milliseconds(milliseconds)
        text = DurationText(duration).description
    }

    init?(argument: String) {
        guard let duration = DurationText(argument)?.duration else { return nil }
        self.duration = duration
        text = argument
    }

    var description: String { text }
    var defaultValueDescription: String { text }
}
