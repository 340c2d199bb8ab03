import Testing

@testable import ShadowAlter

@Suite struct QueueToleranceTests {
    @Test func itGrowsWithEachFailureUpToTheLockTimeout() {
        let tolerances = (0...6).map { QueueWatch.tolerance(afterFailures: $0, lockTimeout: .milliseconds(500)) }
        #expect(tolerances == [25, 50, 100, 200, 400, 500, 500].map { .milliseconds($0) })
    }

    @Test func itNeverPassesTheLockTimeout() {
        #expect(QueueWatch.tolerance(afterFailures: 0, lockTimeout: .milliseconds(5)) == .milliseconds(5))
        #expect(QueueWatch.tolerance(afterFailures: .max, lockTimeout: .seconds(1)) == .seconds(1))
    }
}
