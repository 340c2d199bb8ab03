/// A knob that may be turned while a migration runs, under the name that `set` and the control socket know.
public enum Setting: String, Sendable, CaseIterable {
    case chunkTime = "chunk-time"
    case chunkSize = "chunk-size"
    case niceRatio = "nice-ratio"
    case lockTimeout = "lock-timeout"
    case cutOverBudget = "cut-over-budget"
    case vetoInterval = "veto-interval"
    case copyWorkers = "copy-workers"
    case terminateBlockers = "terminate-blockers"
    case standbySnapshots = "standby-snapshots"
    case maximumRetainedWAL = "max-wal-retained"
    case maximumReplicaLag = "max-replica-lag"
    case controlReplicas = "throttle-control-replicas"
    case maximumLoad = "max-load"
    case criticalLoad = "critical-load"
    case throttleQuery = "throttle-query"
    case throttleFlagFile = "throttle-flag-file"
    case throttleHTTP = "throttle-http"

    /// Whether its value may hold a password or a token: it is not repeated.
    var mayBeSecret: Bool { self == .controlReplicas || self == .throttleHTTP }

    /// What it takes, and what it does.
    public var help: String {
        switch self {
        case .chunkTime: "duration: how long one chunk of the copy should take"
        case .chunkSize: "pages, 1 to 1000000: the largest chunk of the copy"
        case .niceRatio: "0 to 100: pause after each chunk, as a multiple of the time that it took"
        case .lockTimeout: "duration: how long a cut-over attempt waits for its locks, and everybody behind it"
        case .cutOverBudget: "duration: how long a cut-over attempt may take altogether"
        case .vetoInterval: "duration: how long after a hook's veto the cut-over is asked for again"
        case .copyWorkers: "1 to 64: how many sessions copy rows and build indexes"
        case .terminateBlockers:
            "after=DURATION[,idle-in-transaction-only], or off: whether sessions in the way of the cut-over are ended"
        case .standbySnapshots: "wait or ignore: whether the cut-over waits for standbys with old snapshots"
        case .maximumRetainedWAL: "size: WAL held by the slot beyond which the copy waits"
        case .maximumReplicaLag: "duration, or off: how far a standby may be behind"
        case .controlReplicas:
            "connection strings, separated by semicolons: the standbys to be asked; empty: all that stream"
        case .maximumLoad:
            "MEASURE<=N, separated by semicolons: active-sessions, lock-waiters, wal-rate, requested-checkpoints or a query"
        case .criticalLoad: "the same: beyond it the migration ends, or hibernates"
        case .throttleQuery: "a query that stops the work while its first value is above zero; empty: none"
        case .throttleFlagFile: "a file that stops the work while it exists; empty: none"
        case .throttleHTTP: "a URL that stops the work unless it answers 200; empty: none"
        }
    }
}

/// A value that a setting does not take.
public struct SettingError: Error, Sendable, CustomStringConvertible {
    public let setting: Setting
    public let value: String
    /// Said instead, where the value may hold a password; nil: the value is shown.
    public var reason: String?

    public var description: String {
        if let reason { return "\(setting.rawValue): \(reason)" }
        return "\(setting.rawValue) does not take '\(value)'; it takes \(setting.help)"
    }
}

extension MigrationOptions {
    /// The setting's value, as `set` would write it, without what may be secret.
    public func value(of setting: Setting) -> String {
        switch setting {
        case .chunkTime: "\(DurationText(chunkTime))"
        case .chunkSize: "\(maximumChunkPages)"
        case .niceRatio: "\(niceRatio)"
        case .lockTimeout: "\(DurationText(lockTimeout))"
        case .cutOverBudget: "\(DurationText(cutOverBudget))"
        case .vetoInterval: "\(DurationText(vetoInterval))"
        case .copyWorkers: "\(copyWorkers)"
        case .terminateBlockers: blockerTermination.map { "\($0)" } ?? "off"
        case .standbySnapshots: standbySnapshots.rawValue
        case .maximumRetainedWAL: "\(SizeText(bytes: maximumRetainedWAL))"
        case .maximumReplicaLag: maximumReplicaLag.map { "\(DurationText($0))" } ?? "off"
        case .controlReplicas: "\(controlReplicas.count) listed"
        case .maximumLoad: maximumLoad.map(\.description).joined(separator: ";")
        case .criticalLoad: criticalLoad.map(\.description).joined(separator: ";")
        case .throttleQuery: throttleQuery ?? ""
        case .throttleFlagFile: throttleFlagFile ?? ""
        case .throttleHTTP: throttleHTTP.map { "\($0)" } ?? ""
        }
    }

    /// The same without string constants of queries, for logs.
    func loggedValue(of setting: Setting) -> String {
        switch setting {
        case .maximumLoad, .criticalLoad, .throttleQuery: SQLRedaction.text(value(of: setting))
        default: value(of: setting)
        }
    }

    /// Throws without having changed anything.
    public mutating func set(_ setting: Setting, to value: String) throws(SettingError) {
        let refusal = SettingError(setting: setting, value: value)
        func limits() throws(SettingError) -> [LoadLimit] {
            guard let limits = LoadLimit.list(value) else { throw refusal }
            return limits
        }
        func duration() throws(SettingError) -> Duration {
            guard let text = DurationText(value), text.duration >= .milliseconds(1) else { throw refusal }
            return text.duration
        }
        switch setting {
        case .chunkTime: chunkTime = try duration()
        case .lockTimeout: lockTimeout = try duration()
        case .cutOverBudget: cutOverBudget = try duration()
        case .vetoInterval: vetoInterval = try duration()
        case .chunkSize:
            guard let pages = Int64(value), (1...1_000_000).contains(pages) else { throw refusal }
            maximumChunkPages = pages
        case .niceRatio:
            guard let ratio = Double(value), (0...100).contains(ratio) else { throw refusal }
            niceRatio = ratio
        case .copyWorkers:
            guard let workers = Int(value), (1...64).contains(workers) else { throw refusal }
            copyWorkers = workers
        case .terminateBlockers:
            guard value != "off" else {
                blockerTermination = nil
                return
            }
            guard let termination = BlockerTermination(value) else { throw refusal }
            blockerTermination = termination
        case .standbySnapshots:
            guard let policy = StandbySnapshotPolicy(rawValue: value) else { throw refusal }
            standbySnapshots = policy
        case .maximumRetainedWAL:
            guard let size = SizeText(value) else { throw refusal }
            maximumRetainedWAL = size.bytes
        case .maximumReplicaLag: maximumReplicaLag = value == "off" ? nil : try duration()
        case .controlReplicas: controlReplicas = value.split(separator: ";").map(String.init)
        case .maximumLoad: maximumLoad = try limits()
        case .criticalLoad: criticalLoad = try limits()
        case .throttleQuery: throttleQuery = value.isEmpty ? nil : value
        case .throttleFlagFile: throttleFlagFile = value.isEmpty ? nil : value
        case .throttleHTTP:
            do throws(HTTPAddress.Refusal) {
                throttleHTTP = value.isEmpty ? nil : try HTTPAddress(value)
            } catch {
                throw SettingError(setting: setting, value: "", reason: "\(error)")
            }
        }
    }
}
