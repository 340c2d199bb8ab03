import ArgumentParser
import ControlPlane
import Logging
import PgConnection
import ShadowAlter

/// Turns what was thrown into words and an exit code: 1 failed (state kept), 2 usage, 3 refused, 4 ended on request, 5 deadline missed.
enum Failure {
    /// A command line that cannot be understood. ArgumentParser's own code would be 64.
    static let usage = ExitCode(2)

    static func exitCode(for error: any Error) -> ExitCode {
        switch error {
        case is Refused: ExitCode(3)
        case let error as MigrationError where error.code == .refused: ExitCode(3)
        case let error as MigrationError where error.code == .aborted || error.code == .rolledBack: ExitCode(4)
        case let error as MigrationError where error.code == .deadlineMissed: ExitCode(5)
        default: ExitCode(1)
        }
    }

    /// Writes it to standard error: for people, or as the log's last line.
    static func report(_ error: any Error, as format: OutputArguments.LogFormat) {
        guard format == .json else { return Terminal.printError(text(error)) }
        let log = Logger(label: "shadow-alter") { _ in LogOutput(format: .json, line: nil) }
        if let error = error as? MigrationError {
            log.error(
                "\(error.message)",
                metadata: ["code": "\(error.code.word)", "state": "\(error.state)", "next": "\(error.advice)"])
        } else {
            log.error("\(text(error))")
        }
    }

    static func text(_ error: any Error) -> String {
        switch error {
        case let error as Refused:
            return error.description
        case let error as MigrationError:
            return error.description
        case let error as PgError where error.code == .connectionFailed:
            return
                "No connection to PostgreSQL: \(error.message)\nState: nothing was changed.\nNext: check --dsn or the PG… environment variables."
        case let error as PgError:
            return
                "PostgreSQL: \(error)\nState: what was recorded is kept.\nNext: mend the cause and run the same command again; it continues."
        case let error as ControlSocket.Failure:
            return
                "No control socket: \(error)\nState: the migration is recorded; this run has copied nothing.\n"
                + "Next: mend that and run the same command again, or `shadow-alter abort NAME`."
        case let error as MetricsServer.Failure:
            return
                "\(error)\nState: the migration is recorded; this run has copied nothing.\nNext: mend that, or choose another port with --metrics."
        case is CancellationError:
            return
                "Interrupted.\nState: what was recorded is kept; the slot holds WAL until the migration goes on or is aborted.\n"
                + "Next: run the same command again; it continues. `shadow-alter abort NAME` removes everything."
        default:
            return "\(error)"
        }
    }
}

/// Runs a command's body; reports what goes wrong in the log's format and ends with its code.
func reportingFailure(
    as format: OutputArguments.LogFormat = .text, _ body: () async throws -> Void
) async throws {
    do {
        try await body()
    } catch let error as ValidationError {
        throw error
    } catch let code as ExitCode {
        throw code
    } catch {
        Failure.report(error, as: format)
        throw Failure.exitCode(for: error)
    }
}
