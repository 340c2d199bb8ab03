import Synchronization

/// Whether, and in how many lanes, the copy may go on. Read by the lanes between chunks, set by the heartbeat.
final class Throttle: Sendable {
    private struct State {
        var governor: LaneGovernor
        /// Why nothing may be copied at all; nil when it may.
        var reason: String?
    }

    private let state: Mutex<State>
    private static let pollInterval = Duration.milliseconds(100)

    init(lanes: Int) {
        state = Mutex(State(governor: LaneGovernor(maximum: lanes)))
    }

    /// Waits until the lane with this number, from 0, may take a chunk, or until there is none left to take.
    func admit(lane: Int, hasWork: () -> Bool) async throws {
        while hasWork() {
            try Task.checkCancellation()
            if state.withLock({ $0.reason == nil && lane < $0.governor.lanes }) { return }
            try await Task.sleep(for: Self.pollInterval)
        }
    }

    func setBaseline(_ samples: [Duration]) {
        state.withLock { $0.governor.setBaseline(samples) }
    }

    /// - Parameter isAlone: nobody but us is at work on the server, so that slow commits are nobody's.
    func observe(commit: Duration, isAlone: Bool) {
        state.withLock { isAlone ? $0.governor.release() : $0.governor.observe(commit) }
    }

    func set(reason: String?) {
        state.withLock { $0.reason = reason }
    }

    /// Why the copy is slowed, for people; nil when it is not.
    var reason: String? {
        state.withLock { state in
            if let reason = state.reason { return reason }
            guard state.governor.lanes < state.governor.maximum else { return nil }
            return
                "commits are slower than on the quiet server: \(state.governor.lanes) of \(state.governor.maximum) lanes"
        }
    }
}
