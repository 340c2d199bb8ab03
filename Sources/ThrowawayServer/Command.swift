import FoundationEssentials
import Subprocess

/// One run of a program, under the server's account and with an environment that nothing leaks into.
struct Command: Sendable {
    let program: String
    let arguments: [String]
    var account: ServerAccount = .currentUser
    var workingDirectory = "/"
    var extraEnvironment: [String: String] = [:]

    /// Runs the program to its end.
    ///
    /// The standard input is empty: writing to a program that ends early would raise SIGPIPE in this process.
    ///
    /// - Parameter purpose: what is being attempted, for the error message ("copying the template database directory").
    /// - Returns: its standard output.
    /// - Throws: `ThrowawayServerError` with its standard error if it could not run or did not end with status 0.
    @discardableResult
    func output(purpose: String) async throws -> String {
        let result: ExecutionResult<Void, StringOutput<UTF8>, StringOutput<UTF8>>
        do {
            result = try await run(
                .name("sh"), arguments: shellArguments(), environment: environment(),
                platformOptions: platformOptions(), output: .string(limit: .max), error: .string(limit: .max))
        } catch let error as SubprocessError {
            throw ThrowawayServerError("\(purpose): \(program) could not be run: \(error)")
        }
        guard result.terminationStatus.isSuccess else {
            throw ThrowawayServerError(
                "\(purpose) failed: \(program) ended with \(result.terminationStatus).",
                evidence: result.standardError + result.standardOutput)
        }
        return result.standardOutput
    }

    /// The shell changes the directory (PostgreSQL's programs complain about one that they cannot enter) and is then
    /// replaced by the program, so process identifier and signals are the program's own. A `redirection` such as
    /// `>>"$LOG" 2>&1` may use the variables of `extraEnvironment`.
    func shellArguments(redirection: String = "") -> Arguments {
        Arguments(
            ["-c", "cd \"$1\" && shift && exec \"$@\" \(redirection)", "sh", workingDirectory]
                + account.prefix + [program] + arguments)
    }

    /// Everything but libpq's variables (a PGHOST or PGOPTIONS of the developer must not reach a private server), and
    /// English messages without a byte that depends on the machine's locale.
    func environment() -> Environment {
        var variables = ProcessInfo.processInfo.environment.filter { !$0.key.hasPrefix("PG") }
        for name in ["LANG", "LANGUAGE"] { variables[name] = nil }
        variables["LC_ALL"] = "C.UTF-8"
        variables.merge(extraEnvironment) { $1 }
        return .custom(
            Dictionary(
                uniqueKeysWithValues: variables.compactMap { name, value in
                    Environment.Key(rawValue: name).map { ($0, value) }
                }))
    }

    func platformOptions() -> PlatformOptions {
        var options = PlatformOptions()
        // A session of its own: Ctrl-C at the terminal is for us, and the server then ends in the orderly way.
        options.createSession = true
        return options
    }
}
