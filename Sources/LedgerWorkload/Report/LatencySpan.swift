import Histogram

/// What the load did between two of its reports.
public struct LatencySpan: Sendable {
    /// Statements that were answered in the meantime.
    public let statements: Int
    public let errorCount: Int
    private let latencies: Histogram<UInt64>

    fileprivate init(from earlier: WorkloadReport, to later: WorkloadReport) {
        var difference = Histogram<UInt64>(
            highestTrackableValue: 3_600_000_000, numberOfSignificantValueDigits: .three)
        for bucket in later.latencies.recordedValues() {
            let known = earlier.latencies.countForValue(bucket.value)
            if bucket.count > known { _ = difference.record(bucket.value, count: bucket.count - known) }
        }
        latencies = difference
        statements = Int(difference.totalCount)
        errorCount = later.errorCount - earlier.errorCount
    }

    /// The latency in microseconds that so many percent (0 to 100) of the statements did not exceed, within 0.1 %; nil
    /// without statements.
    public func latency(percentile: Double) -> UInt64? {
        statements == 0 ? nil : latencies.valueAtPercentile(percentile)
    }

    /// In microseconds; nil without statements.
    public var longestLatency: UInt64? { statements == 0 ? nil : latencies.max }
}

extension WorkloadReport {
    /// What has happened since an earlier report of the same load.
    public func since(_ earlier: WorkloadReport) -> LatencySpan {
        LatencySpan(from: earlier, to: self)
    }
}
