/// Why a migration did not go on: what happened, in which state things are, and what to do next.
public struct MigrationError: Error, Sendable, CustomStringConvertible {
    public enum Code: String, Sendable {
        /// Preflight refused; nothing was touched.
        case refused
        /// There is a migration of this name with another change, or one that is past this command.
        case conflict
        /// Another process is at work on the same table.
        case alreadyRunning
        /// There is no migration of this name.
        case notFound
        /// The source's definition is not the one that was planned for.
        case sourceChanged
        /// A row cannot be had in its new form.
        case badData
        /// The slot is gone or no longer usable.
        case slotLost
        /// Retained WAL passed its limit; the slot was given up.
        case walLimit
        /// Somebody asked for the end by `abort`; everything was removed.
        case aborted
        /// Somebody asked for the old definition by `rollback`; it is live again, and everything else was removed.
        case rolledBack
        /// The old tables can no longer follow the new ones.
        case wayBackLost
        /// The time for the cut-over ran out; the same command continues.
        case deadlineMissed
        /// The shadow differs from what the source's rows make it, and could not be repaired.
        case verificationFailed
        /// A signal ended the run; the same command continues it.
        case interrupted
        /// The server or the connection to it failed.
        case server
        /// Something is not as this tool left it.
        case inconsistent

        /// A stable word for programs: `bad-data`, `wal-limit`.
        public var word: String { MigrationFailure.hyphenated(rawValue) }
    }

    public var code: Code
    public var message: String
    /// The state that things are in now.
    public var state: String
    /// What to do next.
    public var advice: String

    public init(_ code: Code, _ message: String, state: String, advice: String) {
        self.code = code
        self.message = message
        self.state = state
        self.advice = advice
    }

    public var description: String {
        [message, state.isEmpty ? "" : "State: \(state)", advice.isEmpty ? "" : "Next: \(advice)"]
            .filter { !$0.isEmpty }
            .joined(separator: "\n")
    }
}
