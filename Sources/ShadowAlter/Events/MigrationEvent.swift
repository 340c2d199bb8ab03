/// A moment of a run that somebody outside may want to know of, or have a say in.
public enum MigrationEvent: Sendable, Equatable {
    /// The run knows whether it begins a migration or continues one; nothing is planned yet.
    case startup
    /// The plan is made; that of a shadow table is recorded. Not in a run that continues.
    case validated
    /// The stream is being spooled, and the first row is about to be copied.
    case beforeCopy
    /// Every row is copied; indexes come next.
    case copyComplete
    /// The new table is complete and in sync.
    case ready
    /// The cut-over begins to wait for somebody: a person, a window, a file. Once each time that it begins.
    case beginPostponed(reason: String)
    /// An attempt at the cut-over is next. The observer may veto it by throwing. No transaction is open.
    case beforeCutOver
    /// The new definition is live: the exchange, or the native change, is committed.
    case cutOver
    /// The old definition is live again.
    case rollback
    /// Every so often while the run is alive.
    case status
    /// The work is stopped for the sake of others, or by an operator, or it goes on.
    case throttle(Stoppage)
    /// The run has ended with an error.
    case failure(MigrationFailure)
    /// The run has ended and the new definition is live.
    case success

    /// The beginning or the end of a throttle or a pause.
    public struct Stoppage: Sendable, Equatable {
        public var isBeginning: Bool
        /// `throttled` or `paused`.
        public var condition: MigrationStatus.Condition
        /// Why the work stops; at the end, why it did.
        public var reason: String

        public init(isBeginning: Bool, condition: MigrationStatus.Condition, reason: String) {
            self.isBeginning = isBeginning
            self.condition = condition
            self.reason = reason
        }
    }

    /// An event without its details, under the name that programs see.
    public enum Kind: String, Sendable, CaseIterable {
        case startup
        case validated
        case beforeCopy = "before-copy"
        case copyComplete = "copy-complete"
        case ready
        case beginPostponed = "begin-postponed"
        case beforeCutOver = "before-cut-over"
        case cutOver = "cut-over"
        case rollback
        case status
        case throttle
        case failure
        case success
    }

    public var kind: Kind {
        switch self {
        case .startup: .startup
        case .validated: .validated
        case .beforeCopy: .beforeCopy
        case .copyComplete: .copyComplete
        case .ready: .ready
        case .beginPostponed: .beginPostponed
        case .beforeCutOver: .beforeCutOver
        case .cutOver: .cutOver
        case .rollback: .rollback
        case .status: .status
        case .throttle: .throttle
        case .failure: .failure
        case .success: .success
        }
    }
}

/// Told of a run's events, one after the other and in their order, while the run goes on.
///
/// The run awaits `beforeCutOver` before it does anything under a lock, and at its end `failure`, `success` and whatever came before them. Every
/// observer has to bound its own time. When the run is interrupted, the task of an observer that is at work is cancelled.
public protocol MigrationObserver: Sendable {
    /// What `beforeCutOver` throws is a veto, and its description is shown to operators; what anything else throws is logged.
    func observe(_ event: MigrationEvent, in scene: EventScene) async throws
}
