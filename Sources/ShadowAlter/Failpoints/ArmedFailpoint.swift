import FoundationEssentials
import Glibc
import PgConnection
import Synchronization

/// What `SHADOW_ALTER_FAILPOINT` says: `NAME[:N][=ACTION]`, where to do what; N is how many times the place is passed before, and one more.
final class ArmedFailpoint: Sendable {
    enum Action: String, CaseIterable, Sendable {
        /// As `kill -9`.
        case kill
        /// As `kill -STOP`: nothing moves until somebody sends SIGCONT.
        case pause
        /// An error that nobody expects.
        case error
        /// As if the connection had been lost while COMMIT was in progress.
        case lost
    }

    static let variable = "SHADOW_ALTER_FAILPOINT"

    /// nil where the variable is not set, or is empty.
    static let ofThisProcess: Result<ArmedFailpoint, FailpointError>? =
        ProcessInfo.processInfo.environment[variable].flatMap { text in
            text.isEmpty ? nil : Result { () throws(FailpointError) in try ArmedFailpoint(text) }
        }

    let point: Failpoint
    /// From 1.
    let number: Int
    let action: Action
    private let passed = Mutex(0)

    init(_ text: String) throws(FailpointError) {
        let parts = text.split(separator: "=", maxSplits: 1, omittingEmptySubsequences: false).map(String.init)
        let place = parts[0].split(separator: ":", maxSplits: 1, omittingEmptySubsequences: false).map(String.init)
        guard let point = Failpoint.allCases.first(where: { $0.name == place[0] }) else {
            throw FailpointError("\(Self.variable): there is no failpoint \(place[0]) in this version")
        }
        guard let number = Int(place.count > 1 ? place[1] : "1"), number > 0 else {
            throw FailpointError("\(Self.variable): \(place[1]) is not a number from 1 on")
        }
        guard let action = Action(rawValue: parts.count > 1 ? parts[1] : Action.kill.rawValue) else {
            let known = Action.allCases.map(\.rawValue).joined(separator: ", ")
            throw FailpointError("\(Self.variable): \(parts[1]) is none of \(known)")
        }
        (self.point, self.number, self.action) = (point, number, action)
    }

    func meet(_ other: Failpoint) throws {
        guard other == point else { return }
        let count = passed.withLock { passed in
            passed += 1
            return passed
        }
        guard count == number else { return }
        // Not through the log, which is written by another thread.
        let line = Array("failpoint \(point.name): \(action.rawValue)\n".utf8)
        _ = line.withUnsafeBytes { write(STDERR_FILENO, $0.baseAddress, $0.count) }
        switch action {
        case .kill: _ = Glibc.kill(getpid(), SIGKILL)
        // To this thread: a signal to the process may be taken by another one, and this one would go on for a moment.
        case .pause: _ = Glibc.raise(SIGSTOP)
        case .error: throw FailpointError("the failpoint \(point.name) was reached")
        case .lost:
            throw PgError(
                code: .commitOutcomeUnknown, message: "the failpoint \(point.name) was reached", statement: "COMMIT")
        }
    }
}

/// A failpoint's own error, or one about the environment variable.
struct FailpointError: Error, CustomStringConvertible {
    let description: String

    init(_ description: String) { self.description = description }
}
