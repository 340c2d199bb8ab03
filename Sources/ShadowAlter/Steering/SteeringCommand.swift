/// What an operator may ask of a migration, whether a run is alive or not.
public enum SteeringCommand: Sendable, Equatable {
    /// Nothing is copied, refreshed or exchanged until `resume`; changes go on being spooled, so that no WAL is retained.
    case pause
    /// The same, which may end by itself after that time.
    case throttle(expiry: Duration?)
    /// Ends a pause or a throttle.
    case resume
    /// The tables may be exchanged as soon as they are in sync.
    case cutOver
    /// The tables may not be exchanged; the new ones are kept in sync.
    case postpone
    /// After the exchange: the old tables become live again, with everything that was written meanwhile.
    case rollback
    /// The migration ends and everything that it has made is removed.
    case abort
    /// All rows are compared once more before the tables may be exchanged.
    case verify
    /// The old tables are dropped; after the exchange, and only then.
    case finalize
    /// Holds until it is set again, in later runs as well.
    case set(Setting, String)

    /// What comes of it, for whoever has asked.
    public var outcome: String {
        switch self {
        case .pause: "paused: nothing is copied, refreshed or exchanged until `resume`; changes go on being spooled"
        case .throttle(nil): "throttled until `no-throttle`; changes go on being spooled"
        case .throttle(let expiry?):
            "throttled for \(DurationText(expiry)) or until `no-throttle`; changes go on being spooled"
        case .resume: "resumed"
        case .cutOver: "the tables may be exchanged as soon as they are in sync"
        case .postpone: "the cut-over is postponed until `cut-over`; the new tables are kept in sync"
        case .rollback: "the old tables become live again as soon as they are in sync"
        case .abort: "the migration ends, and everything that it has made is removed"
        case .finalize: "the old tables are dropped as soon as nobody reads them"
        case .verify: "the new tables are verified as soon as they are in sync, and not exchanged before that"
        case .set(let setting, _) where setting.mayBeSecret: "\(setting.rawValue) is set"
        case .set(let setting, let value): "\(setting.rawValue)=\(value)"
        }
    }
}
