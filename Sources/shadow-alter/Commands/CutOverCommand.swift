import ArgumentParser
import ShadowAlter

/// Lets a migration that waits for it exchange the tables.
struct CutOverCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "cut-over",
        abstract: "Let a migration that was started with --cut-over manual exchange the tables.")

    @OptionGroup var connection: ConnectionArguments
    @Argument(help: "The migration's name. (default: the only one there is)") var name: String?

    func run() async throws {
        try await reportingFailure {
            let name = try await onlyName(name, StatusReader(connections: connection.options))
            try await RequestCutOver(connections: connection.options).run(name)
            Terminal.print("Migration \(name) may cut over; a run that is alive does so as soon as it is in sync.")
        }
    }
}
