import ArgumentParser
import Logging
import ShadowAlter

/// Ends a migration before its cut-over.
struct AbortCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "abort", abstract: "End a migration before its cut-over and remove everything that it has made.")

    @OptionGroup var connection: ConnectionArguments
    @Argument(help: "The migration's name. (default: the only one there is)") var name: String?

    func run() async throws {
        try await reportingFailure {
            let name = try await onlyName(name, StatusReader(connections: connection.options))
            let log = Logger(label: "shadow-alter") { _ in LogOutput(format: .text, line: nil) }
            try await Abort(connections: connection.options, log: log).run(name)
            Terminal.print("Migration \(name) is ended; everything is as it was, and nothing is left behind.")
        }
    }
}
