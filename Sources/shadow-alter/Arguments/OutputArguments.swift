import ArgumentParser

/// What is shown, and how.
struct OutputArguments: ParsableArguments {
    enum LogFormat: String, ExpressibleByArgument, CaseIterable { case text, json }
    enum Progress: String, ExpressibleByArgument, CaseIterable { case auto, plain, off }

    @Option(help: "The log's format, on standard error.")
    var logFormat: LogFormat = .text

    @Option(help: "auto: a live line on a terminal, plain lines elsewhere.")
    var progress: Progress = .auto
}
