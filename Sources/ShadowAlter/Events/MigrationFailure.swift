import PgConnection

/// Why a run has ended, for programs and for people.
public struct MigrationFailure: Sendable, Equatable {
    /// A stable word: `MigrationError.Code` with hyphens (`bad-data`), or `failed` for what has no code.
    public var code: String
    public var message: String
    /// The state that things are in now; empty when it is not known.
    public var state: String
    /// What to do next; empty when there is nothing.
    public var advice: String

    public init(code: String, message: String, state: String, advice: String) {
        self.code = code
        self.message = message
        self.state = state
        self.advice = advice
    }

    init(_ error: any Error) {
        func failure(_ code: MigrationError.Code, _ message: String, _ state: String, _ advice: String) -> Self {
            Self(code: code.word, message: message, state: state, advice: advice)
        }
        switch error {
        case let error as MigrationError:
            self = failure(error.code, error.message, error.state, error.advice)
        case let error as Refused:
            self = failure(.refused, "\(error)", "nothing was touched", "mend what was refused and run it again")
        case let error as PgError:
            let isConnected = error.code != .connectionFailed
            self = failure(
                .server, "\(error)", isConnected ? "what was recorded is kept" : "nothing was changed by this run",
                "mend the cause and run the same command again; it continues")
        case is CancellationError:
            self = failure(
                .interrupted, "the run was interrupted",
                "what was recorded is kept; the slot holds WAL until the migration goes on or is aborted",
                "run the same command again; it continues")
        default:
            self.init(code: "failed", message: "\(error)", state: "what was recorded is kept", advice: "")
        }
    }

    /// `badData` as `bad-data`; what has several capitals in a row stays together: `walLimit` is `wal-limit`.
    static func hyphenated(_ name: String) -> String {
        name.reduce(into: "") { text, character in
            if character.isUppercase { text += "-" }
            text += character.lowercased()
        }
    }
}
