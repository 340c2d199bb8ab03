import FoundationEssentials
import Testing

@testable import ShadowAlter

@Suite struct SteeringTests {
    private func after(_ commands: [SteeringCommand], now: Double = 1000) -> Steering {
        var steering = Steering()
        for command in commands { steering.apply(command, now: now) }
        return steering
    }

    @Test func aPauseHoldsUntilItIsEnded() {
        #expect(after([.pause]).hold(now: 1e12)?.kind == .paused)
        #expect(after([.pause, .resume]).hold(now: 1000) == nil)
    }

    @Test func aThrottleEndsByItself() {
        let steering = after([.throttle(expiry: .seconds(60))])
        #expect(steering.hold(now: 1059)?.kind == .throttled)
        #expect(steering.hold(now: 1060) == nil)
        #expect(after([.throttle(expiry: nil)]).hold(now: 1e12)?.kind == .throttled)
    }

    @Test func theLastWordAboutTheCutOverCounts() {
        #expect(after([]).cutOver == nil)
        #expect(after([.cutOver, .postpone]).cutOver == .postponed)
        #expect(after([.postpone, .cutOver]).cutOver == .wanted)
    }

    @Test func anAbortIsNotTakenBack() {
        #expect(after([.abort, .resume, .cutOver]).isAborted)
    }

    @Test func survivesItsOwnEncoding() throws {
        let steering = after([.throttle(expiry: .seconds(1)), .postpone, .set(.niceRatio, "0.5"), .abort, .verify])
        #expect(steering.verification == 1000)
        let data = try JSONEncoder().encode(steering)
        #expect(try JSONDecoder().decode(Steering.self, from: data) == steering)
    }

    /// As the column's default has it.
    @Test func whatIsMissingWasNeverAsked() throws {
        #expect(try JSONDecoder().decode(Steering.self, from: Data("{}".utf8)) == Steering())
    }
}
