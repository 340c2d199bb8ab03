import ShadowAlter

/// Shows a run's progress until cancelled: a live line on a terminal, elsewhere a plain line now and then.
struct ProgressDisplay: Sendable {
    let status: StatusBox
    let mode: OutputArguments.Progress
    /// The live line; nil when standard error is not a terminal, or nobody wants one.
    let line: ProgressLine?

    func run() async {
        guard mode != .off else { return }
        let start = ContinuousClock.now
        var pace = PlainPace(.planned, at: start)
        var rate = RowRate()
        while !Task.isCancelled {
            let snapshot = status.snapshot
            let now = ContinuousClock.now
            rate.observe(rows: snapshot.rowsCopied, at: now)
            let text = ProgressText(snapshot: snapshot, elapsed: now - start, rate: rate.perSecond)
            if let line {
                line.show(text.line(barWidth: 20))
            } else if pace.isDue(snapshot.phase, at: now) {
                Terminal.printError(text.line(barWidth: 0))
            }
            try? await Task.sleep(for: line == nil ? .milliseconds(200) : .milliseconds(250))
        }
        line?.end()
    }
}

/// Rows a second over the last few seconds.
private struct RowRate {
    private var samples: [(rows: Int64, at: ContinuousClock.Instant)] = []
    private static let window = Duration.seconds(5)

    mutating func observe(rows: Int64, at now: ContinuousClock.Instant) {
        samples.removeAll { now - $0.at > Self.window || $0.rows > rows }
        samples.append((rows, now))
    }

    var perSecond: Double? {
        guard let first = samples.first, let last = samples.last, last.rows > first.rows else { return nil }
        let seconds = (last.at - first.at) / .seconds(1)
        return seconds >= 0.5 ? Double(last.rows - first.rows) / seconds : nil
    }
}
