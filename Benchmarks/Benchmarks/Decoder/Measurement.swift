import AllocationCounter
import Benchmark
import Glibc

/// What is measured of one pass over a stream. Time is CPU time of this thread, so that what else the machine does
/// counts for little.
enum Measurement {
    /// Rounded up: 0 is none at all.
    static let allocations = BenchmarkMetric.custom("Allocations per 1000 messages", useScalingFactor: false)
    static let megabytes = BenchmarkMetric.custom("MB per second", polarity: .prefersLarger, useScalingFactor: false)
    static let messages = BenchmarkMetric.custom(
        "Messages per millisecond", polarity: .prefersLarger, useScalingFactor: false)
    /// By how much a pass misses the goal of 1 GB/s. A threshold for this one, unlike one for the throughput itself, is
    /// not left behind by a faster machine.
    static let shortfall = BenchmarkMetric.custom("MB per second missing to 1000", useScalingFactor: false)

    static let all = [allocations, megabytes, messages, shortfall]

    /// Exactly what is checked in, in both directions.
    static var exact: BenchmarkThresholds { BenchmarkThresholds(absolute: [.p90: 0]) }

    @inline(__always)
    static func pass(_ benchmark: Benchmark, over stream: MessageStream, _ body: () throws -> Void) rethrows {
        let allocationsBefore = allocation_count()
        let start = cpuTime()
        try body()
        let nanoseconds = max(1, cpuTime() - start)
        let allocated = Int(allocation_count() - allocationsBefore)
        let count = stream.ranges.count
        let rate = stream.byteCount * 1000 / nanoseconds
        benchmark.measurement(allocations, (allocated * 1000 + count - 1) / count)
        benchmark.measurement(megabytes, rate)
        benchmark.measurement(messages, count * 1_000_000 / nanoseconds)
        benchmark.measurement(shortfall, max(0, 1000 - rate))
    }

    private static func cpuTime() -> Int {
        var time = timespec()
        clock_gettime(CLOCK_THREAD_CPUTIME_ID, &time)
        return time.tv_sec * 1_000_000_000 + time.tv_nsec
    }
}
