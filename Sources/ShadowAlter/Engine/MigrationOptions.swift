/// The knobs of a run. None of them changes what is built, only how fast and when.
public struct MigrationOptions: Sendable {
    public enum CutOverMode: String, Sendable, CaseIterable {
        /// As soon as the shadow is in sync.
        case auto
        /// When `cut-over` is called.
        case manual
    }

    public var cutOver: CutOverMode = .auto
    /// How long an attempt waits for its lock, and thereby how long anybody waits behind it. Milliseconds, at least 1.
    public var lockTimeout: Duration = .milliseconds(500)
    /// How long an attempt may take from its request for the lock to COMMIT.
    public var cutOverBudget: Duration = .seconds(1)
    /// How many sessions copy and build indexes at the same time, at least 1.
    public var copyWorkers = 2
    /// How long one chunk should take.
    public var chunkTime: Duration = .milliseconds(500)
    /// The largest chunk, in pages. A chunk's changes pass through the walsender's memory at its commit: see
    /// `logical_decoding_work_mem`, beyond which they are spilled to disk.
    public var maximumChunkPages: Int64 = 2048
    /// Pause after each chunk, as a multiple of the time that the chunk took.
    public var niceRatio = 0.0
    /// Beyond this much WAL held by the slot the copy waits; beyond twice as much the slot is given up.
    public var maximumRetainedWAL: Int64 = 10 << 30

    public init() {}
}
