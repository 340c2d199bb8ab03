import Testing

@testable import LedgerWorkload

struct LatencySpanTests {
    private func record(_ meter: ClientMeter, seconds: UInt64, times: Int) {
        for _ in 0..<times {
            meter.record(from: MonotonicTime(nanoseconds: MonotonicTime.now.nanoseconds - seconds * 1_000_000_000))
        }
    }

    private func report(_ meter: ClientMeter) -> WorkloadReport {
        WorkloadReport(seed: 1, clients: [meter.snapshot])
    }

    @Test func aSpanHasOnlyWhatCameAfterTheEarlierReport() throws {
        let meter = ClientMeter(client: 0)
        record(meter, seconds: 1, times: 100)
        let earlier = report(meter)
        record(meter, seconds: 60, times: 3)
        let span = report(meter).since(earlier)
        #expect(span.statements == 3)
        #expect(try #require(span.latency(percentile: 1)) >= 59_900_000, "none of the short ones is in it")
        #expect(try #require(span.longestLatency) >= 59_900_000)
    }

    @Test func anEmptySpanHasNoFigures() {
        let meter = ClientMeter(client: 0)
        record(meter, seconds: 1, times: 1)
        let span = report(meter).since(report(meter))
        #expect(span.statements == 0)
        #expect(span.latency(percentile: 50) == nil)
        #expect(span.longestLatency == nil)
    }

    @Test func readsAreNoWrites() {
        let meter = ClientMeter(client: 0)
        meter.countOperation(committed: true)
        meter.countOperation(committed: true, changedRows: true)
        meter.countOperation(committed: false, changedRows: true)
        #expect(report(meter).commits == 2)
        #expect(report(meter).writes == 1)
    }
}
