import LedgerWorkload
import Synchronization

/// Divides the load's figures into those from before the migration, during it, and after it.
final class LoadMarks: Sendable {
    enum Quiet { case before, after }

    struct Spans: Sendable {
        var before: LatencySpan?
        var during: LatencySpan?
        var after: LatencySpan?
    }

    private let workload: Workload
    private let state = Mutex(Spans())

    var spans: Spans { state.withLock { $0 } }

    init(_ workload: Workload) { self.workload = workload }

    /// Lets the load run by itself for a while. Its first second before the migration, when caches fill, does not count.
    func quietTime(_ which: Quiet) async throws {
        if which == .before { try await Task.sleep(for: .seconds(1)) }
        let start = workload.report
        try await Task.sleep(for: DemoSettings.quietTime)
        let span = workload.report.since(start)
        state.withLock { spans in
            switch which {
            case .before: spans.before = span
            case .after: spans.after = span
            }
        }
    }

    func during<Value>(_ body: () async throws -> Value) async throws -> Value {
        let start = workload.report
        let value = try await body()
        let span = workload.report.since(start)
        state.withLock { $0.during = span }
        return value
    }
}
