import Testing

@testable import ShadowAlter

@Suite struct LaneGovernorTests {
    private func governor(lanes: Int) -> LaneGovernor {
        var governor = LaneGovernor(maximum: lanes)
        governor.setBaseline([.milliseconds(1), .milliseconds(2), .milliseconds(50)])
        return governor
    }

    @Test func theBaselineIsTheMedian() {
        #expect(governor(lanes: 2).baseline == .milliseconds(2))
    }

    @Test func shrinksToOneWhenCommitsAreSlow() {
        var governor = governor(lanes: 3)
        for expected in [2, 1, 1] {
            governor.observe(.milliseconds(100))
            #expect(governor.lanes == expected)
        }
    }

    @Test func growsBackAfterThreeGoodSamples() {
        var governor = governor(lanes: 2)
        governor.observe(.milliseconds(100))
        governor.observe(.milliseconds(2))
        governor.observe(.milliseconds(2))
        #expect(governor.lanes == 1)
        governor.observe(.milliseconds(2))
        #expect(governor.lanes == 2)
        for _ in 0..<9 { governor.observe(.milliseconds(2)) }
        #expect(governor.lanes == 2)
    }

    @Test func doesNothingInBetween() {
        var governor = governor(lanes: 2)
        for _ in 0..<9 { governor.observe(.milliseconds(12)) }
        #expect(governor.lanes == 2)
    }

    @Test func withNobodyElseAtWorkAllLanesRun() {
        var governor = governor(lanes: 3)
        governor.observe(.milliseconds(100))
        governor.observe(.milliseconds(100))
        governor.release()
        #expect(governor.lanes == 3)
    }

    @Test func withoutABaselineNothingIsJudged() {
        var governor = LaneGovernor(maximum: 2)
        governor.observe(.seconds(5))
        #expect(governor.lanes == 2)
    }
}
