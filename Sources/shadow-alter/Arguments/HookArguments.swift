import ArgumentParser
import ControlPlane
import Logging
import ShadowAlter

/// The operator's own programs, and when they are run.
struct HookArguments: ParsableArguments {
    @Option(
        name: .customLong("hooks"),
        help: ArgumentHelp(
            """
            A directory of programs to be run at events of the migration: on-startup, on-ready, on-before-cut-over (which may veto the cut-over), \
            on-success, on-failure and so on.
            """,
            valueName: "dir"))
    var directory: String?

    @Option(
        name: .customLong("hooks-timeout"),
        help: "How long a hook may take before it is ended.")
    var timeLimit = DurationArgument(milliseconds: 30_000)

    @Option(
        name: .customLong("hooks-status-interval"),
        help: "How often on-status is run.")
    var statusInterval = DurationArgument(milliseconds: 60_000)

    @Option(
        name: .customLong("hooks-veto-interval"),
        help: "How long after its veto on-before-cut-over is asked again.")
    var vetoInterval = DurationArgument(milliseconds: 10_000)

    func validate() throws {
        for (name, value) in [
            ("hooks-timeout", timeLimit), ("hooks-status-interval", statusInterval),
            ("hooks-veto-interval", vetoInterval),
        ] {
            guard value.duration >= .seconds(1) else { throw ValidationError("--\(name) takes at least 1s.") }
        }
    }

    /// What is in force, once the directory is found to be in order.
    struct Settings: Sendable {
        let directory: HookDirectory
        let timeLimit: Duration
        let statusInterval: Duration
        let vetoInterval: Duration

        func apply(to options: inout MigrationOptions, log: Logger) {
            options.observer = HookRunner(directory, timeLimit: timeLimit, log: log)
            options.statusInterval = statusInterval
            options.vetoInterval = vetoInterval
        }
    }

    /// Throws `Refused` when something is wrong with the directory; nil without hooks.
    func settings() throws -> Settings? {
        guard let directory else { return nil }
        return Settings(
            directory: try HookDirectory.read(directory), timeLimit: timeLimit.duration,
            statusInterval: statusInterval.duration, vetoInterval: vetoInterval.duration)
    }
}
