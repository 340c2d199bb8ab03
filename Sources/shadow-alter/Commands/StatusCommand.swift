import ArgumentParser
import ControlPlane
import FoundationEssentials
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
            let name = try await onlyName(name, reader)
            let status: MigrationStatus
            if let live = try await live(name) { status = live } else { status = try await reader.status(of: name) }
            Terminal.print(
                json ? try JSONOutput.pretty(status) : StatusText(status: status).lines.joined(separator: "\n"))
        }
    }
}

extension StatusCommand {
    /// What the run that is alive says of itself; nil when there is none, or it cannot be spoken to.
    private func live(_ name: String) async throws -> MigrationStatus? {
        guard let socket = try await Steer(connections: connection.options).findRun(of: name)?.socket,
            let answer = try? await ControlClient(path: socket).send("status json")
        else { return nil }
        return try? JSONDecoder().decode(MigrationStatus.self, from: Data(answer.utf8))
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
