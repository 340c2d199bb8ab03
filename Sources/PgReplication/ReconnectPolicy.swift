/// How long to wait before the next attempt to connect: longer after each failure, up to a limit, and by chance within a
/// range, so that several clients of a restarted server do not all come at once.
public struct ReconnectPolicy: Sendable, Hashable {
    /// The longest possible wait before the first attempt; each further failure doubles it.
    public let initial: Duration
    /// The longest wait of all.
    public let maximum: Duration
    /// How many attempts there are in a row without a success; nil: no limit.
    public let attempts: Int?
    /// The failures since the last success.
    public private(set) var failures = 0

    /// Durations below 1 ms count as 1 ms, a `maximum` below `initial` as `initial`, `attempts` below 0 as 0.
    public init(initial: Duration = .milliseconds(100), maximum: Duration = .seconds(10), attempts: Int? = nil) {
        self.initial = max(initial, .milliseconds(1))
        self.maximum = max(maximum, self.initial)
        self.attempts = attempts.map { max($0, 0) }
    }

    /// To be called after a failure: the time to wait before the next attempt, between half of the present limit and all
    /// of it; nil when the attempts are used up.
    public mutating func next(using generator: inout some RandomNumberGenerator) -> Duration? {
        if let attempts, failures >= attempts { return nil }
        var limit = initial
        // Stops at the maximum, so that no number of failures overflows.
        var doublings = failures
        while doublings > 0, limit < maximum {
            limit = min(limit * 2, maximum)
            doublings -= 1
        }
        failures += 1
        return limit * Double.random(in: 0.5...1, using: &generator)
    }

    public mutating func next() -> Duration? {
        var generator = SystemRandomNumberGenerator()
        return next(using: &generator)
    }

    /// To be called after a success.
    public mutating func reset() { failures = 0 }
}
