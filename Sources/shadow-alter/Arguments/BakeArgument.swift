import ArgumentParser
import ShadowAlter

/// `24h`, or `until-finalize`.
struct BakeArgument: ExpressibleByArgument {
    /// nil: none.
    let bake: MigrationOptions.Bake?

    init?(argument: String) {
        if argument == "until-finalize" {
            bake = .untilFinalize
        } else if let duration = DurationArgument(argument: argument)?.duration {
            bake = duration > .zero ? .duration(duration) : nil
        } else {
            return nil
        }
    }
}
