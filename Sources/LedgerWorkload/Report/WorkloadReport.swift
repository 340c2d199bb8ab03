import Histogram

/// What the load has done and how it fared.
public struct WorkloadReport: Sendable, CustomStringConvertible {
    public let seed: UInt64
    public let clients: Int
    public let operations: Int
    /// Operations whose effect was acknowledged.
    public let commits: Int
    /// Those of them that changed rows; the others only read, or rolled back what they had done.
    public let writes: Int
    /// Transactions of which nobody knows whether they were committed.
    public let inDoubt: Int
    /// How many errors an application would have seen.
    public let errorCount: Int
    /// The first 200 errors of each client.
    public let errors: [ApplicationError]
    /// Every statement that took 2 milliseconds or longer (of more than 50,000 a client, the longest).
    public let slowStatements: [SlowStatement]
    /// Latencies in microseconds.
    let latencies: Histogram<UInt64>

    init(seed: UInt64, clients: [ClientMeter.Figures]) {
        self.seed = seed
        self.clients = clients.count
        operations = clients.reduce(0) { $0 + $1.operations }
        commits = clients.reduce(0) { $0 + $1.commits }
        writes = clients.reduce(0) { $0 + $1.writes }
        inDoubt = clients.reduce(0) { $0 + $1.inDoubt }
        errorCount = clients.reduce(0) { $0 + $1.errorCount }
        errors = clients.flatMap(\.errors).sorted { $0.time < $1.time }
        slowStatements = clients.flatMap(\.slow).sorted { $0.start < $1.start }
        var all = Histogram<UInt64>(highestTrackableValue: 3_600_000_000, numberOfSignificantValueDigits: .three)
        for client in clients { all.add(client.latencies) }
        latencies = all
    }

    public var statements: Int { Int(latencies.totalCount) }

    /// The latency in microseconds that so many percent (0 to 100) of the statements did not exceed, within 0.1 %.
    public func latency(percentile: Double) -> UInt64 { latencies.valueAtPercentile(percentile) }

    /// In microseconds; 0 without statements.
    public var longestLatency: UInt64 { statements == 0 ? 0 : latencies.max }

    /// The longest of the statements that were under way at some time between the two points; nil when each of them took
    /// less than 2 milliseconds.
    public func longestWait(from start: MonotonicTime, to end: MonotonicTime) -> SlowStatement? {
        slowStatements.filter { $0.start <= end && $0.end >= start }.max { $0.nanoseconds < $1.nanoseconds }
    }

    public var description: String {
        func milliseconds(_ microseconds: UInt64) -> String { "\(Double(microseconds / 10) / 100) ms" }
        var lines = [
            "\(clients) clients, seed \(seed) (replay with \(WorkloadSeed.variable)=\(seed))",
            "\(statements) statements in \(operations) operations, \(commits) acknowledged, \(inDoubt) of unknown outcome",
            "latency p50 \(milliseconds(latency(percentile: 50))), p95 \(milliseconds(latency(percentile: 95))), "
                + "p99 \(milliseconds(latency(percentile: 99))), longest \(milliseconds(longestLatency))",
            "\(errorCount) errors",
        ]
        lines += errors.prefix(10).map(\.description)
        return lines.joined(separator: "\n")
    }
}
