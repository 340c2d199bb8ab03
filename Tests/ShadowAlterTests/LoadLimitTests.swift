import PgOutput
import Testing

@testable import ShadowAlter

@Suite struct LoadLimitTests {
    @Test(arguments: [
        ("active-sessions<=20", LoadLimit.Measure.activeSessions, 20.0), ("lock-waiters <= 0", .lockWaiters, 0),
        ("wal-rate<=50MB", .walRate, 52_428_800), ("requested-checkpoints<=1", .requestedCheckpoints, 1),
        ("SELECT count(*) FROM t WHERE a<=5<=10.5", .query("SELECT count(*) FROM t WHERE a<=5"), 10.5),
    ])
    func isRead(_ text: String, measure: LoadLimit.Measure, maximum: Double) throws {
        let limit = try #require(LoadLimit(text))
        #expect(limit.measure == measure && limit.maximum == maximum)
    }

    @Test(arguments: [
        "", "active-sessions", "active-sessions<20", "<=20", "active-sessions<=", "active-sessions<=x", "a<=inf",
    ])
    func isRefused(_ text: String) {
        #expect(LoadLimit(text) == nil)
    }

    @Test func severalAreSeparatedBySemicolons() {
        #expect(
            LoadLimit.list("active-sessions<=1; SELECT 1<=2 ;")?.map(\.description) == [
                "active-sessions<=1", "SELECT 1<=2",
            ])
        #expect(LoadLimit.list("")?.isEmpty == true)
        #expect(LoadLimit.list("active-sessions<=1;nonsense") == nil)
    }
}

@Suite struct LagHistoryTests {
    private let start = ContinuousClock.now

    private func lsn(_ number: UInt64) -> LSN { LSN(rawValue: number) }

    @Test func aStandbyThatStandsStillFallsBehindByTheClock() {
        var history = LagHistory()
        for second in 0...10 { history.note(lsn(100 + UInt64(second)), at: start + .seconds(second)) }
        let now = start + .seconds(10)
        #expect(history.lag(replayed: lsn(110), now: now) == .zero)
        #expect(history.lag(replayed: lsn(109), now: now) == .zero, "the last piece is only just written")
        #expect(history.lag(replayed: lsn(103), now: now) == .seconds(6))
        #expect(history.lag(replayed: lsn(103), now: now + .seconds(5)) == .seconds(11))
    }

    @Test func anIdlePrimaryLeavesNobodyBehind() {
        var history = LagHistory()
        history.note(lsn(100), at: start)
        for second in 1...100 { history.note(lsn(200), at: start + .seconds(second)) }
        #expect(history.lag(replayed: lsn(200), now: start + .seconds(100)) == .zero)
        // It has been missing since the second second, and not only for as long as somebody looked.
        #expect(history.lag(replayed: lsn(150), now: start + .seconds(100)) == .seconds(99))
    }

    @Test func whatIsLongAgoIsForgottenButNotThatSomethingIsMissing() {
        var history = LagHistory()
        for minute in 0...600 { history.note(lsn(100 + UInt64(minute)), at: start + .seconds(minute * 60)) }
        let lag = history.lag(replayed: lsn(100), now: start + .seconds(36_000))
        #expect(lag >= LagHistory.reach - .seconds(60) && lag <= LagHistory.reach)
    }

    @Test func nobodyIsBehindBeforeThereIsAnything() {
        #expect(LagHistory().lag(replayed: lsn(0), now: start) == .zero)
    }
}
