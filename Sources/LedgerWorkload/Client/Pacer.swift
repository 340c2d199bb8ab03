/// Spaces operations out evenly.
struct Pacer: Sendable {
    private let interval: Duration?
    private var next: ContinuousClock.Instant?

    /// - Parameter rate: operations per second; 0 or less is as many as possible.
    init(rate: Double) {
        interval = rate > 0 ? .seconds(1 / rate) : nil
    }

    /// When the next operation is due; nil: at once.
    mutating func nextTime(now: ContinuousClock.Instant = .now) -> ContinuousClock.Instant? {
        guard let interval else { return nil }
        var due = (next ?? now) + interval
        // After a long wait the missed operations are not made up for in a burst of more than a second's worth.
        if due < now - .seconds(1) { due = now }
        next = due
        return due > now ? due : nil
    }
}
