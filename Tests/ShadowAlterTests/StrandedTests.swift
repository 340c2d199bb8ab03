import Testing

@testable import ShadowAlter

/// Which statements will never be answered, by what the server says of their sessions.
struct StrandedTests {
    private let start = ContinuousClock.now

    private func session(idle: Bool = false, client: Bool = false, _ seconds: Int = 100) -> Stranded.Session {
        Stranded.Session(isIdle: idle, waitsForClient: client, since: .seconds(seconds))
    }

    private func expect(
        _ expected: Bool, _ isLost: Bool, sourceLocation: SourceLocation = #_sourceLocation
    ) {
        #expect(isLost == expected, sourceLocation: sourceLocation)
    }

    @Test func whoWorksMayTakeItsTime() {
        var stranded = Stranded(patience: .seconds(30))
        expect(false, stranded.isLost(key: 1, session(10_000), at: start))
        expect(false, stranded.isLost(key: 1, session(20_000), at: start + .seconds(10_000)))
    }

    @Test func anIdleSessionHasAnswered() {
        var stranded = Stranded(patience: .seconds(30))
        expect(false, stranded.isLost(key: 1, session(idle: true, 14), at: start))
        expect(true, stranded.isLost(key: 1, session(idle: true, 15), at: start))
        // It is gone.
        expect(true, stranded.isLost(key: 1, nil, at: start))
    }

    @Test func whoWaitsForUsIsBelievedForAWhile() {
        var stranded = Stranded(patience: .seconds(30))
        expect(false, stranded.isLost(key: 1, session(client: true), at: start))
        expect(false, stranded.isLost(key: 1, session(client: true), at: start + .seconds(29)))
        expect(true, stranded.isLost(key: 1, session(client: true), at: start + .seconds(30)))
        // Another statement of the session's.
        expect(false, stranded.isLost(key: 2, session(client: true), at: start + .seconds(30)))
        // It has gone on meanwhile.
        expect(false, stranded.isLost(key: 1, session(), at: start + .seconds(31)))
        expect(false, stranded.isLost(key: 1, session(client: true), at: start + .seconds(32)))
    }
}
