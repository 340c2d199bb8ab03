import ShadowAlter

/// When a progress line goes to what is no terminal: 15 seconds into a phase, which the log has told of, then after 30, a minute and so on up to ten minutes,
/// so that a run of days does not fill a log. Pure.
struct PlainPace: Sendable {
    /// The furthest that there was: a cut-over that is tried again and again is no news every time.
    private var phase: Phase
    private var last: ContinuousClock.Instant
    private var interval = Self.first

    static let first = Duration.seconds(15)
    static let longest = Duration.seconds(600)

    /// - Parameter now: the beginning.
    init(_ phase: Phase, at now: ContinuousClock.Instant) {
        self.phase = phase
        last = now
    }

    /// Whether a line is due now. Takes it as written.
    mutating func isDue(_ current: Phase, at now: ContinuousClock.Instant) -> Bool {
        if current > phase {
            phase = current
            interval = Self.first
            last = now
            return false
        }
        guard now - last >= interval else { return false }
        interval = min(interval * 2, Self.longest)
        last = now
        return true
    }
}
