import ArgumentParser
import ShadowAlter

/// How fast, and when.
struct RunArguments: ParsableArguments {
    @Option(help: "auto: as soon as the new table is in sync; manual: when `shadow-alter cut-over NAME` is called.")
    var cutOver: MigrationOptions.CutOverMode = .auto

    @Option(help: "How long a cut-over attempt waits for its lock, and everybody behind it.")
    var lockTimeout = DurationArgument(milliseconds: 500)

    @Option(help: "How long a cut-over attempt may take altogether.")
    var cutOverBudget = DurationArgument(milliseconds: 1000)

    @Option(help: "How many sessions copy rows and build indexes.")
    var copyWorkers = 2

    @Option(help: "How long one chunk of the copy should take.")
    var chunkTime = DurationArgument(milliseconds: 500)

    @Option(help: "Pause after each chunk, as a multiple of the time that it took.")
    var nice = 0.0

    @Option(help: "WAL held by the slot beyond which the copy waits; beyond twice as much the slot is given up.")
    var maxWalRetained = SizeArgument(gigabytes: 10)

    func validate() throws {
        guard copyWorkers >= 1, copyWorkers <= 64 else { throw ValidationError("--copy-workers takes 1 to 64.") }
        guard nice >= 0, nice <= 100 else { throw ValidationError("--nice takes 0 to 100.") }
        for (name, value) in [
            ("lock-timeout", lockTimeout), ("cut-over-budget", cutOverBudget), ("chunk-time", chunkTime),
        ] {
            guard value.duration >= .milliseconds(1) else {
                throw ValidationError("--\(name) takes at least 1ms.")
            }
        }
    }

    var options: MigrationOptions {
        var options = MigrationOptions()
        options.cutOver = cutOver
        options.lockTimeout = lockTimeout.duration
        options.cutOverBudget = cutOverBudget.duration
        options.copyWorkers = copyWorkers
        options.chunkTime = chunkTime.duration
        options.niceRatio = nice
        options.maximumRetainedWAL = maxWalRetained.bytes
        return options
    }
}

extension MigrationOptions.CutOverMode: ExpressibleByArgument {}
