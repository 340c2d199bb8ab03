import ArgumentParser
import ShadowAlter

/// Shows where a migration stands.
struct StatusCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "status", abstract: "Show where a migration stands, whether a run is alive or not.")

    @OptionGroup var connection: ConnectionArguments
    @Flag(help: "Print JSON.") var json = false
    @Argument(help: "The migration's name. (default: the only one there is)") var name: String?

    func run() async throws {
        try await reportingFailure {
            let reader = StatusReader(connections: connection.options)
            let status = try await reader.status(of: try await onlyName(name, reader))
            Terminal.print(
                json ? try JSONOutput.pretty(status) : StatusText(status: status).lines.joined(separator: "\n"))
        }
    }
}

/// The given name, or that of the only migration in the database.
func onlyName(_ name: String?, _ reader: StatusReader) async throws -> String {
    if let name { return name }
    let all = try await reader.list()
    guard let only = all.first, all.count == 1 else {
        throw MigrationError(
            .notFound,
            all.isEmpty
                ? "there is no migration in this database"
                : "there are several migrations: \(all.map(\.name).joined(separator: ", "))",
            state: "nothing was changed", advice: all.isEmpty ? "" : "say which one is meant")
    }
    return only.name
}
