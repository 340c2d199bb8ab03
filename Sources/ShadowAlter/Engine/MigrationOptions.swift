/// The knobs of a run. None of them changes what is built, only how fast and when.
public struct MigrationOptions: Sendable {
    public enum CutOverMode: Sendable, Equatable {
        /// As soon as the shadow is in sync.
        case auto
        /// When `cut-over` is called.
        case manual
        /// By itself, in one of these times; by `cut-over` at any time.
        case windows([CutOverWindow])

        var windows: [CutOverWindow] {
            if case .windows(let windows) = self { windows } else { [] }
        }
    }

    /// How long the old tables follow the new ones after the exchange.
    public enum Bake: Sendable, Equatable {
        case duration(Duration)
        case untilFinalize

        var duration: Duration? { if case .duration(let duration) = self { duration } else { nil } }
    }

    public var cutOver: CutOverMode = .auto
    /// nil: they do not follow; where a bake is under way already, it goes on as it was begun.
    public var bake: Bake?
    /// After this the run ends without having exchanged the tables; nil: it tries for as long as it takes.
    public var cutOverDeadline: CutOverDeadline?
    /// While this file exists, the run does not exchange the tables unless `cut-over` is called.
    public var postponeFlagFile: String?
    /// How long after the exchange the run drops the old tables; nil: it ends and leaves that to `finalize`.
    public var finalizeAfter: Duration?
    /// How long an attempt waits for its lock, and thereby how long anybody waits behind it. Milliseconds, at least 1.
    public var lockTimeout: Duration = .milliseconds(500)
    /// How long an attempt may take from its request for the lock to COMMIT.
    public var cutOverBudget: Duration = .seconds(1)
    /// Whom the cut-over may end that is in its way; nil: nobody.
    public var blockerTermination: BlockerTermination?
    /// Whether standbys with snapshots from before the new table was complete are waited for.
    public var standbySnapshots: StandbySnapshotPolicy = .wait
    /// How many sessions copy and build indexes at the same time, at least 1.
    public var copyWorkers = 2
    /// How long one chunk should take.
    public var chunkTime: Duration = .milliseconds(500)
    /// The largest chunk, in pages; with long values that are kept apart (TOAST) it may have to be smaller (`CopyPhase`). A chunk's changes pass through
    /// the walsender's memory at its commit: see `logical_decoding_work_mem`, beyond which they are spilled to disk.
    public var maximumChunkPages: Int64 = 512
    /// The longest stretch that is compared at once, in pages. Nothing of it passes through the walsender, and the longer it is, the fewer of its
    /// rows have their counterparts outside of it, where the sessions that copied side by side have put them.
    public var maximumStretchPages: Int64 = 16_384
    /// How much is compared before the tables may be exchanged.
    public var verification: VerificationMode = .full
    /// Pause after each chunk, as a multiple of the time that the chunk took.
    public var niceRatio = 0.0
    /// Beyond this much WAL held by the slot the copy waits; beyond twice as much the slot is given up.
    public var maximumRetainedWAL: Int64 = 10 << 30
    /// What the WAL sender may keep in memory of transactions that have not ended, in bytes, at least 64 kB; nil: the server's setting, and more where the
    /// server has much (`DecodingMemory`).
    public var decodingMemory: Int64?
    /// Standbys that are further behind stop the work; nil: nobody looks.
    public var maximumReplicaLag: Duration? = .seconds(5)
    /// Connection strings of the standbys to be asked; empty: all that stream from the primary, as it sees them.
    public var controlReplicas: [String] = []
    /// Any load beyond its limit stops the work.
    public var maximumLoad: [LoadLimit] = []
    /// Any load beyond its limit ends the migration and removes what it has made, or stops the work for `criticalLoadHibernation`.
    public var criticalLoad: [LoadLimit] = []
    public var criticalLoadHibernation: Duration?
    /// A query whose first value stops the work when it is more than zero, or true.
    public var throttleQuery: String?
    /// While this file exists the work stops.
    public var throttleFlagFile: String?
    /// Asked by `ControlPlane.HTTPThrottle`, if that is among `throttleSources`: anything but its 200 stops the work.
    public var throttleHTTP: HTTPAddress?
    /// Asked as well, in this order.
    public var throttleSources: [any ThrottleSource] = []
    /// Told of the run's events; nil: nobody.
    public var observer: (any MigrationObserver)?
    /// How long an answer of the server's may be lost on its way, and how long the server may be out of reach, before the run ends.
    public var networkPatience: Duration = .seconds(30)
    /// How often it is told the status.
    public var statusInterval: Duration = .seconds(60)
    /// How long after its veto it is asked again whether the cut-over may be attempted.
    public var vetoInterval: Duration = .seconds(10)

    public init() {}
}
