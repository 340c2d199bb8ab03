import ArgumentParser
import ControlPlane
import ShadowAlter

/// What the commands that steer a migration have in common.
struct SteeringArguments: ParsableArguments {
    @OptionGroup var connection: ConnectionArguments
    @Argument(help: "The migration's name. (default: the only one there is)") var name: String?

    func steer(_ command: SteeringCommand) async throws {
        try await steeringMigration(name, connection, command)
    }
}

/// Asks a migration for something, and says what comes of it and when: through the run's socket where that can be reached, otherwise
/// through the state tables.
func steeringMigration(_ name: String?, _ connection: ConnectionArguments, _ command: SteeringCommand) async throws {
    try await reportingFailure {
        let name = try await onlyName(name, StatusReader(connections: connection.options))
        let steer = Steer(connections: connection.options)
        if let socket = try await steer.findRun(of: name)?.socket {
            do {
                Terminal.print("\(name): \(try await ControlClient(path: socket).send(command.line)).")
                return
            } catch ControlClient.Failure.unreachable {
                // On another machine, or somebody else's.
            }
        }
        let run = try await steer.run(command, name)
        let when =
            run.map { "The run that is alive (session \($0.session)) obeys within two seconds." }
            ?? "No run is alive; the next one obeys."
        Terminal.print("\(name): \(command.outcome).\n\(when)")
    }
}

/// A command without arguments of its own.
protocol PlainSteeringCommand: AsyncParsableCommand {
    static var steering: SteeringCommand { get }
    var target: SteeringArguments { get }
}

extension PlainSteeringCommand {
    func run() async throws { try await target.steer(Self.steering) }
}

/// Lets a migration that waits for it exchange the tables.
struct CutOverCommand: PlainSteeringCommand {
    static let configuration = CommandConfiguration(
        commandName: "cut-over", abstract: "Let a migration that waits for it exchange the tables.")
    static let steering = SteeringCommand.cutOver
    @OptionGroup var target: SteeringArguments
}

/// Takes the leave to exchange the tables back.
struct PostponeCommand: PlainSteeringCommand {
    static let configuration = CommandConfiguration(
        commandName: "postpone",
        abstract: "Keep the new table ready and in sync, but do not exchange the tables until `cut-over`.")
    static let steering = SteeringCommand.postpone
    @OptionGroup var target: SteeringArguments
}

/// Goes back.
struct RollbackCommand: PlainSteeringCommand {
    static let configuration = CommandConfiguration(
        commandName: "rollback",
        abstract: "Bring the old tables back, with everything that was written since the exchange.",
        discussion:
            "Possible while a run with --bake is alive, or when it is started again: the tables are exchanged once more, under the same locks for the same time as at the "
            + "cut-over, and the new tables are dropped. `status` shows whether it is possible, and why not.")
    static let steering = SteeringCommand.rollback
    @OptionGroup var target: SteeringArguments
}

/// Compares once more.
struct VerifyCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "verify",
        abstract: "Compare all rows of the live and the new table once more, before they may be exchanged.",
        discussion:
            "The run that is alive does it as soon as the new table is in sync; `status` shows how far it is, and what came of it. A run that was started with "
            + "--verify sample takes its sample; one with --verify off compares every row.")

    @Flag(help: "Wait for its end, and say what came of it; exit code 1 when the tables differ for good.")
    var wait = false
    @OptionGroup var target: SteeringArguments

    func run() async throws {
        try await reportingFailure {
            let reader = StatusReader(connections: target.connection.options)
            let name = try await onlyName(target.name, reader)
            let before = try await reader.status(of: name).verify.startedAt
            try await steeringMigration(name, target.connection, .verify)
            if wait { try await waitForEnd(of: name, startedBefore: before, reader) }
        }
    }

    private func waitForEnd(of name: String, startedBefore: String?, _ reader: StatusReader) async throws {
        let steer = Steer(connections: target.connection.options)
        while true {
            // First: what it has done before it ended is in the status then.
            let run = try await steer.findRun(of: name)
            let verify = try await reader.status(of: name).verify
            if let outcome = verify.outcome, outcome != .running, verify.startedAt != startedBefore {
                Terminal.print("\(name): \(VerificationText(verify).line ?? outcome.rawValue)")
                if outcome == .failed { throw ExitCode.failure }
                return
            }
            guard run != nil else {
                throw MigrationError(
                    .conflict, "no run of \(name) is alive that could verify it",
                    state: "the wish is recorded", advice: "run it again: it verifies before it exchanges the tables")
            }
            try await Task.sleep(for: .milliseconds(500))
        }
    }
}

/// Stops the work for as long as wanted.
struct PauseCommand: PlainSteeringCommand {
    static let configuration = CommandConfiguration(
        commandName: "pause",
        abstract: "Stop copying, refreshing and exchanging until `resume`; changes go on being spooled.")
    static let steering = SteeringCommand.pause
    @OptionGroup var target: SteeringArguments
}

/// Ends a pause.
struct ResumeCommand: PlainSteeringCommand {
    static let configuration = CommandConfiguration(
        commandName: "resume", abstract: "End what `pause` or `throttle` has begun.")
    static let steering = SteeringCommand.resume
    @OptionGroup var target: SteeringArguments
}

/// The same with a time limit.
struct ThrottleCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "throttle",
        abstract: "Like `pause`, for a time if one is given.")

    @Option(help: "How long, for example 2h. (default: until `resume`)") var expire: DurationArgument?
    @OptionGroup var target: SteeringArguments

    func run() async throws { try await target.steer(.throttle(expiry: expire?.duration)) }
}

/// Turns a knob.
struct SetCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "set",
        abstract: "Change a setting of a migration, also while it runs.",
        discussion: "Settings:\n"
            + Setting.allCases.map { "  \($0.rawValue)  \($0.help)" }.joined(separator: "\n"))

    @OptionGroup var connection: ConnectionArguments
    @Argument(help: ArgumentHelp("The setting and its value.", valueName: "name=value")) var assignment: String
    @Argument(help: "The migration's name. (default: the only one there is)") var name: String?

    func run() async throws {
        let parts = assignment.split(separator: "=", maxSplits: 1, omittingEmptySubsequences: false).map(String.init)
        guard parts.count == 2, let setting = Setting(rawValue: parts[0]) else {
            let known = Setting.allCases.map(\.rawValue).joined(separator: ", ")
            throw ValidationError("'\(assignment)' is not NAME=VALUE with one of the settings \(known).")
        }
        try await steeringMigration(name, connection, .set(setting, parts[1]))
    }
}
