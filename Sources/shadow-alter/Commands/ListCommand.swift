import ArgumentParser
import ControlPlane
import Logging
import ShadowAlter

/// Shows all migrations of the database, and what others have left behind.
struct ListCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "list", abstract: "Show every migration of the database, live or left behind.")

    @OptionGroup var connection: ConnectionArguments
    @Flag(help: "Print JSON.") var json = false

    private struct Listing: Encodable {
        let migrations: [MigrationStatus]
        let orphans: [Orphan]
    }

    func run() async throws {
        try await reportingFailure {
            let all = try await StatusReader(connections: connection.options).list()
            let log = Logger(label: "shadow-alter") { _ in LogOutput(format: .text, line: nil) }
            let orphans = try await Orphans(connections: connection.options, log: log).find()
            if json {
                Terminal.print(try JSONOutput.pretty(Listing(migrations: all, orphans: orphans)))
                return
            }
            let migrations =
                all.isEmpty
                ? ["There is no migration in this database."] : all.flatMap { StatusText(status: $0).lines }
            Terminal.print((migrations + OrphanText(orphans).lines).joined(separator: "\n"))
        }
    }
}
