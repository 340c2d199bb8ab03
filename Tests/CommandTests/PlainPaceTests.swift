import ShadowAlter
import Testing

@testable import shadow_alter

@Suite struct PlainPaceTests {
    private let start = ContinuousClock.now

    /// How many lines a phase has so many seconds after it began, asked five times a second.
    private func lines(_ pace: inout PlainPace, _ phase: Phase, from: Int = 0, seconds: Int) -> Int {
        (from * 5..<(from + seconds) * 5).count { pace.isDue(phase, at: start + .milliseconds($0 * 200)) }
    }

    @Test func aRunOfDaysHasAFewHundredLines() {
        var pace = PlainPace(.planned, at: start)
        #expect(lines(&pace, .copying, seconds: 16) == 1)
        #expect(lines(&pace, .copying, from: 16, seconds: 3 * 86_400) < 500)
    }

    @Test func everyNewPhaseIsBegunQuickly() {
        var pace = PlainPace(.planned, at: start)
        _ = lines(&pace, .copying, seconds: 86_400)
        #expect(lines(&pace, .indexing, from: 86_400, seconds: 14) == 0)
        #expect(lines(&pace, .indexing, from: 86_414, seconds: 2) == 1)
    }

    @Test func attemptsThatAreRepeatedAreNoNews() {
        var pace = PlainPace(.ready, at: start)
        var count = 0
        for second in 0..<3600
        where pace.isDue(second.isMultiple(of: 2) ? .cuttingOver : .ready, at: start + .seconds(second)) {
            count += 1
        }
        #expect(count < 15)
    }
}
