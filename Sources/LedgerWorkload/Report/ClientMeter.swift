import Histogram
import Synchronization

/// What one client measures. Written on its connection's thread, read by anybody at any time.
final class ClientMeter: Sendable {
    struct Figures: Sendable {
        /// Microseconds, up to an hour.
        var latencies = Histogram<UInt64>(highestTrackableValue: 3_600_000_000, numberOfSignificantValueDigits: .three)
        var slow: [SlowStatement] = []
        var errors: [ApplicationError] = []
        var errorCount = 0
        var operations = 0
        var commits = 0
        var writes = 0
        var inDoubt = 0
    }

    /// Statements below this are only counted, in nanoseconds.
    static let slowFrom: UInt64 = 2_000_000
    private static let slowLimit = 50_000
    private static let errorLimit = 200

    let client: Int
    private let figures = Mutex(Figures())

    init(client: Int) {
        self.client = client
    }

    func record(from start: MonotonicTime) {
        let duration = MonotonicTime.now.since(start)
        figures.withLock { figures in
            _ = figures.latencies.record(max(1, min(duration / 1000, 3_600_000_000)))
            guard duration >= Self.slowFrom else { return }
            figures.slow.append(SlowStatement(start: start, nanoseconds: duration))
            // The quicker half goes when there are too many.
            if figures.slow.count > Self.slowLimit {
                figures.slow.sort { $0.nanoseconds > $1.nanoseconds }
                figures.slow.removeLast(Self.slowLimit / 2)
            }
        }
    }

    func record(_ error: ApplicationError) {
        figures.withLock { figures in
            figures.errorCount += 1
            if figures.errors.count < Self.errorLimit { figures.errors.append(error) }
        }
    }

    func countOperation(committed: Bool, changedRows: Bool = false, inDoubt: Bool = false) {
        figures.withLock { figures in
            figures.operations += 1
            if committed { figures.commits += 1 }
            if committed && changedRows { figures.writes += 1 }
            if inDoubt { figures.inDoubt += 1 }
        }
    }

    var snapshot: Figures { figures.withLock { $0 } }

    var counts: (operations: Int, errors: Int) { figures.withLock { ($0.operations, $0.errorCount) } }
}

/// A statement that took 2 milliseconds or longer.
public struct SlowStatement: Sendable, Hashable {
    public let start: MonotonicTime
    public let nanoseconds: UInt64

    var end: MonotonicTime { MonotonicTime(nanoseconds: start.nanoseconds + nanoseconds) }
}
