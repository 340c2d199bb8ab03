import ArgumentParser
import Logging
import ShadowAlter

/// The point of no return.
struct FinalizeCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "finalize", abstract: "Drop the old table after the cut-over: the point of no return.",
        discussion: """
            Before anything is dropped, PostgreSQL is asked whether something stands on the old tables, and refuses with its name. Then they go one by one, each \
            in a transaction of its own; a table of more than 1 GB index by index. What was interrupted is continued by the same command.
            """)

    @OptionGroup var connection: ConnectionArguments
    @Option(help: "How long to wait for a session that reads an old table; it is named.")
    var wait = DurationArgument(milliseconds: 60_000)
    @Flag(help: "Also when the last verification has found rows that differ, and was not repeated.")
    var acceptMismatches = false
    @Argument(help: "The migration's name. (default: the only one there is)") var name: String?

    func run() async throws {
        try await reportingFailure {
            let name = try await onlyName(name, StatusReader(connections: connection.options))
            let log = Logger(label: "shadow-alter") { _ in LogOutput(format: .text, line: nil) }
            let finalize = Finalize(
                connections: connection.options, log: log, patience: wait.duration, acceptsMismatches: acceptMismatches)
            let dropped = try await finalize.run(name)
            let what = dropped.count == 1 ? "the old table is" : "the \(dropped.count) old tables are"
            Terminal.print("Migration \(name) is final: \(what) dropped, and nothing else is left behind.")
        }
    }
}
