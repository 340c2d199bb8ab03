/// How long a migration will still take, from what was measured of it so far. nil: not known.
public struct Estimate: Sendable, Equatable {
    /// Seconds to the end of the phase.
    public var phase: Double?
    /// Seconds until the new table is ready. Known once every phase to come has a measured rate.
    public var total: Double?

    public init(phase: Double? = nil, total: Double? = nil) {
        self.phase = phase
        self.total = total
    }
}

/// How fast some work is done, over the last while. Pure.
struct WorkRate: Sendable {
    private var samples: [(done: Double, at: ContinuousClock.Instant)] = []
    /// Older samples count no more.
    let window: Duration
    /// Less says nothing.
    static let leastTime = Duration.seconds(3)

    init(window: Duration) { self.window = window }

    mutating func observe(_ done: Double, at now: ContinuousClock.Instant) {
        // It goes backwards when a copy starts anew.
        if let last = samples.last, done < last.done { samples = [] }
        samples.append((done, now))
        while let first = samples.first, samples.count > 2, now - first.at > window { samples.removeFirst() }
    }

    /// What is measured from here on has nothing to do with what was before.
    mutating func forget() { samples = [] }

    var perSecond: Double? {
        guard let first = samples.first, let last = samples.last, last.at - first.at >= Self.leastTime,
            last.done > first.done
        else { return nil }
        return (last.done - first.done) / (last.at - first.at).seconds
    }
}

/// Makes the estimate from what a run knows of itself, once a second. Pure.
struct Estimator: Sendable {
    /// Whether all rows are to be compared before the table is ready.
    let verifies: Bool

    private var copying = WorkRate(window: .seconds(60))
    /// Indexes differ too much for a shorter time to say anything.
    private var indexing = WorkRate(window: .seconds(24 * 3600))
    private var verifying = WorkRate(window: .seconds(60))

    init(verifies: Bool) { self.verifies = verifies }

    mutating func observe(_ snapshot: StatusBox.Snapshot, at now: ContinuousClock.Instant) -> Estimate {
        let isStopped = snapshot.stop != nil
        switch snapshot.phase {
        case .planned, .capturing: return Estimate()
        case .copying:
            guard !isStopped else {
                copying.forget()
                return Estimate()
            }
            copying.observe(Double(snapshot.pagesCopied), at: now)
            // How fast indexes are built shows only once one is.
            return Estimate(phase: copying.perSecond.map { Double(snapshot.pages - snapshot.pagesCopied) / $0 })
        case .indexing:
            let work = snapshot.indexWork
            indexing.observe(work.done, at: now)
            guard let rate = indexing.perSecond else { return Estimate() }
            let phase = max(0, work.total - work.done) / rate
            // Comparing takes no longer than copying: it reads the same and writes nothing.
            let comparing = verifies ? copying.perSecond.map { Double(snapshot.pages) / $0 } : 0
            return Estimate(phase: phase, total: comparing.map { phase + $0 })
        case .catchingUp:
            guard let part = snapshot.verifiedPart, !isStopped else {
                verifying.forget()
                return Estimate()
            }
            verifying.observe(part, at: now)
            let left = verifying.perSecond.map { max(0, 1 - part) / $0 }
            return Estimate(phase: left, total: left)
        case .ready, .cuttingOver, .baking, .done: return Estimate(phase: nil, total: 0)
        case .rolledBack, .aborted: return Estimate()
        }
    }
}
