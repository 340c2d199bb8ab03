import PgConnection
import Testing

@testable import ShadowAlter

@Suite struct EstimatorTests {
    private let start = ContinuousClock.now

    private func copying(_ copied: Int64, of pages: Int64 = 1_000) -> StatusBox.Snapshot {
        var snapshot = StatusBox().snapshot
        snapshot.phase = .copying
        snapshot.tables = [.init(name: QualifiedName(schema: "public", name: "orders"))]
        snapshot.tables[0].pages = pages
        snapshot.tables[0].pagesCopied = copied
        return snapshot
    }

    private func indexing(_ work: IndexWork) -> StatusBox.Snapshot {
        var snapshot = copying(1_000)
        snapshot.phase = .indexing
        snapshot.indexWork = work
        return snapshot
    }

    private func at(_ seconds: Int) -> ContinuousClock.Instant { start + .seconds(seconds) }

    @Test func theCopysEndComesFromItsRate() {
        var estimator = Estimator(verifies: true)
        #expect(estimator.observe(copying(0), at: at(0)) == Estimate())
        #expect(estimator.observe(copying(100), at: at(2)) == Estimate(), "too short a time to say anything")
        #expect(estimator.observe(copying(200), at: at(4)) == Estimate(phase: 16, total: nil))
    }

    @Test func itSaysNothingWhileTheWorkIsStopped() {
        var estimator = Estimator(verifies: false)
        _ = estimator.observe(copying(0), at: at(0))
        _ = estimator.observe(copying(500), at: at(5))
        var stopped = copying(500)
        stopped.stop = .init(.paused, "paused by `pause`")
        #expect(estimator.observe(stopped, at: at(6)) == Estimate())
        // The pause does not count as time that was worked.
        #expect(estimator.observe(copying(500), at: at(606)) == Estimate())
        #expect(estimator.observe(copying(600), at: at(610)).phase == 16)
    }

    @Test func aCopyThatStartsAnewIsMeasuredAnew() {
        var estimator = Estimator(verifies: false)
        _ = estimator.observe(copying(900), at: at(0))
        #expect(estimator.observe(copying(0), at: at(4)) == Estimate())
        #expect(estimator.observe(copying(100), at: at(8)).phase == 36)
    }

    private func work(_ done: Double, of total: Double) -> IndexWork {
        var work = IndexWork()
        work.total = total
        work.begin(total, by: 7)
        work.see([7: done / total])
        return work
    }

    @Test func theWholeIsKnownOnceAnIndexIsMeasured() {
        var estimator = Estimator(verifies: false)
        #expect(estimator.observe(indexing(work(0, of: 100)), at: at(0)).total == nil)
        #expect(estimator.observe(indexing(work(20, of: 100)), at: at(10)) == Estimate(phase: 40, total: 40))
    }

    @Test func comparingIsCountedAtTheRateOfTheCopy() {
        var estimator = Estimator(verifies: true)
        _ = estimator.observe(copying(0), at: at(0))
        _ = estimator.observe(copying(1_000), at: at(20))
        _ = estimator.observe(indexing(work(0, of: 100)), at: at(21))
        #expect(estimator.observe(indexing(work(50, of: 100)), at: at(31)) == Estimate(phase: 10, total: 30))
    }

    @Test func withoutThatRateTheWholeIsUnknown() {
        var estimator = Estimator(verifies: true)
        _ = estimator.observe(indexing(work(0, of: 100)), at: at(21))
        #expect(estimator.observe(indexing(work(50, of: 100)), at: at(31)) == Estimate(phase: 10, total: nil))
    }

    @Test func nothingIsLeftOfATableThatIsReady() {
        var estimator = Estimator(verifies: true)
        var snapshot = copying(1_000)
        for phase in [Phase.ready, .cuttingOver, .done] {
            snapshot.phase = phase
            #expect(estimator.observe(snapshot, at: at(1)) == Estimate(phase: nil, total: 0))
        }
    }

    @Test func indexWorkNeverGoesBackAndNeverPassesTheWhole() {
        var work = IndexWork()
        work.total = 30
        work.begin(10, by: 1)
        work.begin(20, by: 2)
        work.see([1: 0.5, 2: 0.25, 99: 1])
        #expect(work.done == 10)
        work.see([1: 0.1, 2: 7])
        #expect(work.done == 25)
        work.end(by: 1)
        work.end(by: 1)
        #expect(work.done == 30)
        #expect(work.processes == [2])
    }
}
