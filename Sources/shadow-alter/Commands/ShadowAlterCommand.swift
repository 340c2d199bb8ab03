import ArgumentParser
import ShadowAlter

struct ShadowAlterCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "shadow-alter",
        abstract: "Changes the definition of a live PostgreSQL table while the application keeps reading and writing.",
        version: Version.current,
        subcommands: [
            PlanCommand.self, RunCommand.self, StatusCommand.self, ListCommand.self, PauseCommand.self,
            ResumeCommand.self, ThrottleCommand.self, SetCommand.self, CutOverCommand.self, PostponeCommand.self,
            RollbackCommand.self, VerifyCommand.self, AbortCommand.self, FinalizeCommand.self, DemoCommand.self,
        ])
}

/// The entry point: ArgumentParser's own, but for the exit code of a command line that cannot be understood.
@main
enum Main {
    static func main() async {
        do {
            var command = try await ShadowAlterCommand.asyncParseAsRoot()
            if var command = command as? any AsyncParsableCommand {
                try await command.run()
            } else {
                try command.run()
            }
        } catch  where ShadowAlterCommand.exitCode(for: error) == .validationFailure {
            Terminal.printError(ShadowAlterCommand.fullMessage(for: error))
            ShadowAlterCommand.exit(withError: Failure.usage)
        } catch {
            ShadowAlterCommand.exit(withError: error)
        }
    }
}
