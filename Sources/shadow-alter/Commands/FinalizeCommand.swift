import ArgumentParser
import ShadowAlter

/// The point of no return.
struct FinalizeCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "finalize", abstract: "Drop the old table after the cut-over: the point of no return.")

    @OptionGroup var connection: ConnectionArguments
    @Argument(help: "The migration's name. (default: the only one there is)") var name: String?

    func run() async throws {
        try await reportingFailure {
            let name = try await onlyName(name, StatusReader(connections: connection.options))
            let dropped = try await Finalize(connections: connection.options).run(name)
            let what = dropped.count == 1 ? "the old table is" : "the \(dropped.count) old tables are"
            Terminal.print("Migration \(name) is final: \(what) dropped, and nothing else is left behind.")
        }
    }
}
