import Testing

@testable import PgReplication

struct SilenceTests {
    @Test func theServerIsAskedOnceAndThenGivenUp() {
        let start = ContinuousClock.now
        var silence = Silence(limit: .seconds(10), now: start)
        #expect(silence.step(at: start + .seconds(4)) == .wait)
        #expect(silence.step(at: start + .seconds(5)) == .ask)
        #expect(silence.step(at: start + .seconds(6)) == .wait)
        #expect(silence.step(at: start + .seconds(10)) == .giveUp)
    }

    @Test func whateverComesBeginsItAnew() {
        let start = ContinuousClock.now
        var silence = Silence(limit: .seconds(10), now: start)
        #expect(silence.step(at: start + .seconds(6)) == .ask)
        silence.end(at: start + .seconds(7))
        #expect(silence.step(at: start + .seconds(11)) == .wait)
        #expect(silence.step(at: start + .seconds(12)) == .ask)
        #expect(silence.step(at: start + .seconds(17)) == .giveUp)
    }
}
