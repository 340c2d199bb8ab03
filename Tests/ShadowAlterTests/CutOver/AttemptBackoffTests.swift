import Testing

@testable import ShadowAlter

@Suite struct AttemptBackoffTests {
    @Test func doublesUpToHalfAMinuteLessAnyShareUpToHalf() {
        var backoff = AttemptBackoff()
        var generator = SystemRandomNumberGenerator()
        for full in [0.2, 0.4, 0.8, 1.6, 3.2, 6.4, 12.8, 25.6, 30, 30, 30, 30] {
            let delay = backoff.next(using: &generator).seconds
            #expect((full / 2 - 0.001...full + 0.001).contains(delay), "\(delay) of \(full)")
        }
    }
}
