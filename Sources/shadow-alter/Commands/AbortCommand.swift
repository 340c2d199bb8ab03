import ArgumentParser
import ControlPlane
import Logging
import ShadowAlter

/// Ends a migration before its cut-over, or removes what migrations have left behind.
struct AbortCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "abort", abstract: "End a migration before its cut-over and remove everything that it has made.")

    @OptionGroup var connection: ConnectionArguments
    @Flag(help: "Remove what migrations have left behind that are gone: `list` shows it.") var orphans = false
    @Argument(help: "The migration's name. (default: the only one there is)") var name: String?

    func validate() throws {
        if orphans, name != nil {
            throw ValidationError("--orphans is about no migration in particular: leave the name out.")
        }
    }

    func run() async throws {
        try await reportingFailure {
            let log = Logger(label: "shadow-alter") { _ in LogOutput(format: .text, line: nil) }
            if orphans { return try await removeOrphans(of: nil, log) }
            let name = try await onlyName(name, StatusReader(connections: connection.options))
            do {
                try await Abort(connections: connection.options, log: log).run(name)
            } catch let error as MigrationError where error.code == .notFound {
                // Its record may be gone, and the rest still there.
                let left = try await Orphans(connections: connection.options, log: log).find()
                guard left.contains(where: { $0.migration == name }) else { throw error }
                log.notice("there is no record of the migration \(name), but there is what it has left behind")
                return try await removeOrphans(of: name, log)
            }
            Terminal.print("Migration \(name) is ended; everything is as it was, and nothing is left behind.")
        }
    }

    private func removeOrphans(of migration: String?, _ log: Logger) async throws {
        let outcome = try await Orphans(connections: connection.options, log: log).remove(of: migration)
        for orphan in outcome.removed { Terminal.print("Removed \(orphan.title).") }
        guard outcome.left.isEmpty else {
            throw MigrationError(
                .conflict, outcome.left.map { OrphanText.line($0) }.joined(separator: "\n"),
                state: outcome.removed.isEmpty ? "nothing was removed" : "everything else is removed",
                advice: "see to what is said of each, then `shadow-alter abort --orphans` again")
        }
        if outcome.removed.isEmpty { Terminal.print("Nothing is left behind in this database.") }
    }
}
