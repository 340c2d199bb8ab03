import ArgumentParser
import ShadowAlter

/// `full`, `sample`, `sample=5%` or `off`.
struct VerifyArgument: ExpressibleByArgument, CustomStringConvertible {
    let mode: VerificationMode

    init(mode: VerificationMode) { self.mode = mode }

    init?(argument: String) {
        guard let mode = VerificationMode(argument) else { return nil }
        self.mode = mode
    }

    var description: String { mode.description }
    var defaultValueDescription: String { description }
}
