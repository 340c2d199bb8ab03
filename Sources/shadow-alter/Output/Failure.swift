import ArgumentParser
import ControlPlane
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
        case let error as MigrationError where error.code == .aborted: ExitCode(4)
        case let error as MigrationError where error.code == .deadlineMissed: ExitCode(5)
        default: ExitCode(1)
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

/// Runs a command's body; prints what goes wrong and ends with its code.
func reportingFailure(_ body: () async throws -> Void) async throws {
    do {
        try await body()
    } catch let error as ValidationError {
        throw error
    } catch let code as ExitCode {
        throw code
    } catch {
        Terminal.printError(Failure.text(error))
        throw Failure.exitCode(for: error)
    }
}
