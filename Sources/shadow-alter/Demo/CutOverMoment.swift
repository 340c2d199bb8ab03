import LedgerWorkload
import ShadowAlter
import Synchronization

/// Notes when a running migration begins to cut over: the load's statements from then on tell what the cut-over cost.
final class CutOverMoment: Sendable {
    private let start = Mutex<MonotonicTime?>(nil)

    /// The last moment at which the phase had not begun yet; nil as long as it has not.
    var began: MonotonicTime? { start.withLock { $0 } }

    /// Watches until the phase is reached, or until cancelled.
    func watch(_ status: StatusBox) async {
        var before = MonotonicTime.now
        while !Task.isCancelled {
            let now = MonotonicTime.now
            if status.snapshot.phase >= .cuttingOver {
                start.withLock { $0 = before }
                return
            }
            before = now
            try? await Task.sleep(for: .milliseconds(2))
        }
    }
}
