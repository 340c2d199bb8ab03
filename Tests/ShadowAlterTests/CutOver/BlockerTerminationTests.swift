import Testing

@testable import ShadowAlter

@Suite struct BlockerTerminationTests {
    @Test(arguments: [
        ("after=30s", Duration.seconds(30), false), ("after=2m,idle-in-transaction-only", .seconds(120), true),
        ("after=1ms", .milliseconds(1), false),
    ])
    func isRead(_ text: String, _ after: Duration, _ idleOnly: Bool) {
        #expect(BlockerTermination(text) == BlockerTermination(after: after, idleInTransactionOnly: idleOnly))
    }

    @Test(arguments: [
        "", "30s", "after=", "after=0s", "after=30s,", "after=30s,idle", "after=soon",
        "idle-in-transaction-only,after=30s", "after=1s,idle-in-transaction-only,more",
    ])
    func isRefused(_ text: String) {
        #expect(BlockerTermination(text) == nil)
    }

    @Test func itIsWrittenAsItIsRead() {
        #expect("\(BlockerTermination(after: .seconds(30)))" == "after=30s")
        #expect(
            "\(BlockerTermination(after: .seconds(90), idleInTransactionOnly: true))"
                == "after=90s,idle-in-transaction-only")
    }

    private func blocker(
        _ pid: Int32?, began: String = "09:00", state: String = "idle in transaction", protection: String? = nil
    ) -> Blocker {
        Blocker(
            pid: pid, reason: .lock, user: "app", application: "", state: state, holds: "RowShareLock on item",
            sessionStart: "08:00", transactionStart: began, queryStart: nil, transactionSeconds: 1,
            protection: protection)
    }

    private let start = ContinuousClock.now
    private let always = BlockerTermination(after: .seconds(30))

    @Test func nobodyIsEndedBeforeTheTime() {
        var patience = BlockerPatience()
        #expect(patience.due([blocker(1)], always, at: start).isEmpty)
        #expect(patience.due([blocker(1)], always, at: start + .seconds(29)).isEmpty)
        #expect(patience.due([blocker(1)], always, at: start + .seconds(30)) == [blocker(1)])
        // The server takes a moment for it.
        #expect(patience.due([blocker(1)], always, at: start + .seconds(31)).isEmpty)
    }

    @Test func anotherTransactionOfTheSameSessionBeginsAnew() {
        var patience = BlockerPatience()
        _ = patience.due([blocker(1)], always, at: start)
        #expect(patience.due([blocker(1, began: "09:30")], always, at: start + .seconds(40)).isEmpty)
        #expect(patience.due([blocker(1)], always, at: start + .seconds(41)).isEmpty)
    }

    @Test func nobodyIsEndedUnlessItIsAskedFor() {
        var patience = BlockerPatience()
        _ = patience.due([blocker(1)], nil, at: start)
        #expect(patience.due([blocker(1)], nil, at: start + .seconds(3_600)).isEmpty)
        // Once it is, the time that has passed counts.
        #expect(patience.due([blocker(1)], always, at: start + .seconds(3_601)) == [blocker(1)])
    }

    @Test func whoIsProtectedStays() {
        var patience = BlockerPatience()
        let protected = [blocker(1, protection: "it is a superuser's"), blocker(nil)]
        _ = patience.due(protected, always, at: start)
        #expect(patience.due(protected, always, at: start + .seconds(60)).isEmpty)
    }

    @Test func thoseWhoWorkStayWhenOnlyIdleOnesAreMeant() {
        let idleOnly = BlockerTermination(after: .seconds(30), idleInTransactionOnly: true)
        var patience = BlockerPatience()
        let both = [blocker(1, state: "active"), blocker(2, state: "idle in transaction (aborted)")]
        _ = patience.due(both, idleOnly, at: start)
        #expect(patience.due(both, idleOnly, at: start + .seconds(30)).map(\.pid) == [2])
    }
}
