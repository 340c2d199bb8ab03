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

extension LaneGovernorTests {
    @Test func theyShrinkBeforeALimitIsReached() {
        var governor = LaneGovernor(maximum: 8)
        let lanes = [0, 0.5, 0.51, 0.75, 0.9, 0.99, 1, 3].map { pressure in
            governor.observe(pressure: pressure)
            return governor.lanes
        }
        #expect(lanes == [8, 8, 8, 4, 2, 1, 1, 1])
        #expect(governor.explanation == "a limit is near, at 300 %: 1 of 8 lanes")
        governor.observe(pressure: 0.2)
        #expect(governor.lanes == 8)
        #expect(governor.explanation == nil)
    }

    @Test func theLesserOfBothCounts() {
        var governor = governor(lanes: 4)
        governor.observe(pressure: 0.75)
        #expect(governor.lanes == 2)
        for _ in 0..<3 { governor.observe(.milliseconds(100)) }
        #expect(governor.lanes == 1)
        #expect(governor.explanation?.contains("commits are slower") == true)
    }

    @Test func theMaximumMayChange() {
        var governor = governor(lanes: 4)
        governor.observe(.milliseconds(100))
        #expect(governor.lanes == 3)
        governor.setMaximum(6)
        #expect(governor.lanes == 5)
        governor.setMaximum(2)
        #expect(governor.lanes == 2)
        governor.setMaximum(0)
        #expect(governor.lanes == 1)
    }
}
