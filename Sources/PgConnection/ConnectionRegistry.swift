import Synchronization

/// The connections that were made with the same options, so that those can be given up whose answers do not come.
///
/// libpq waits for an answer as long as the kernel believes in the connection. That is right for a statement that takes hours, and wrong where a
/// proxy, a firewall or a load balancer in between has lost the answer: nobody but the server can tell the one from the other.
package final class ConnectionRegistry: Sendable, Hashable {
    /// A statement that is being waited for.
    package struct Waiting: Sendable {
        /// The server process that works on it.
        package let pid: Int32
        package let since: ContinuousClock.Instant
        /// Tells it from the session's other statements.
        package let statement: UInt64
        fileprivate let cancellation: StatementCancellation

        /// Ends the connection, if the statement is still waited for: whoever waits gets `connectionLost`. Returns whether it was.
        @discardableResult
        package func giveUp() -> Bool { cancellation.sever(statement) }
    }

    private struct Entry {
        weak var cancellation: StatementCancellation?
        let pid: Int32
    }

    private let entries = Mutex<[Entry]>([])

    package init() {}

    func add(_ cancellation: StatementCancellation, pid: Int32) {
        entries.withLock { entries in
            entries.removeAll { $0.cancellation == nil }
            entries.append(Entry(cancellation: cancellation, pid: pid))
        }
    }

    /// The statements that have been waited for since before `instant`.
    package func waiting(sinceBefore instant: ContinuousClock.Instant) -> [Waiting] {
        entries.withLock { $0 }.compactMap { entry in
            guard let cancellation = entry.cancellation, let waiting = cancellation.waiting, waiting.since <= instant
            else { return nil }
            return Waiting(
                pid: entry.pid, since: waiting.since, statement: waiting.statement, cancellation: cancellation)
        }
    }

    package static func == (left: ConnectionRegistry, right: ConnectionRegistry) -> Bool { left === right }

    package func hash(into hasher: inout Hasher) { hasher.combine(ObjectIdentifier(self)) }
}
