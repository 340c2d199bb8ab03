/// How long to wait between attempts at the cut-over: doubling, with jitter, so that we do not fall into step with a job of the
/// application's. Pure but for the dice, which are passed in.
struct AttemptBackoff: Sendable {
    private(set) var failures = 0
    private static let first = Duration.milliseconds(200)
    private static let longest = Duration.seconds(30)

    mutating func next(using generator: inout some RandomNumberGenerator) -> Duration {
        let doubled = Self.first * (1 << min(failures, 10))
        failures += 1
        return min(doubled, Self.longest) * Double.random(in: 0.5...1.0, using: &generator)
    }
}
