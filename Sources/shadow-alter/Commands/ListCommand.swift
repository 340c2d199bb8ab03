import ArgumentParser
import ControlPlane
import ShadowAlter

/// Shows all migrations of the database.
struct ListCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "list", abstract: "Show every migration of the database, live or left behind.")

    @OptionGroup var connection: ConnectionArguments
    @Flag(help: "Print JSON.") var json = false

    func run() async throws {
        try await reportingFailure {
            let all = try await StatusReader(connections: connection.options).list()
            if json {
                Terminal.print(try JSONOutput.pretty(all))
            } else if all.isEmpty {
                Terminal.print("There is no migration in this database.")
            } else {
                Terminal.print(all.flatMap { StatusText(status: $0).lines }.joined(separator: "\n"))
            }
        }
    }
}
