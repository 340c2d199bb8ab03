import Synchronization

/// Whether, and in how many lanes, rows may be copied and refreshed, and why not. Asked between chunks and batches.
final class Throttle: Sendable {
    /// Who stops the work; the first that does gives the reason that people see.
    enum Source: Int, Sendable, Comparable {
        case `operator`
        case criticalLoad
        case retainedWAL
        case replicaLag
        case load
        case query
        case flagFile
        case outside

        var name: String {
            switch self {
            case .operator: "an operator"
            case .criticalLoad: "the critical load"
            case .retainedWAL: "retained WAL"
            case .replicaLag: "replica lag"
            case .load: "the load"
            case .query: "the throttle query"
            case .flagFile: "the flag file"
            case .outside: "the check from outside"
            }
        }

        static func < (left: Self, right: Self) -> Bool { left.rawValue < right.rawValue }
    }

    struct Stop: Sendable, Equatable {
        var condition: MigrationStatus.Condition
        var reason: String

        init(_ condition: MigrationStatus.Condition, _ reason: String) {
            self.condition = condition
            self.reason = reason
        }
    }

    private struct State {
        var governor: LaneGovernor
        var stops: [Source: Stop] = [:]
        var pressures: [Source: Double] = [:]

        var first: (source: Source, stop: Stop)? { stops.min { $0.key < $1.key }.map { ($0.key, $0.value) } }
        var stop: Stop? { first?.stop }
    }

    private let state: Mutex<State>
    private let onStoppage: @Sendable (MigrationEvent.Stoppage) -> Void
    private static let pollInterval = Duration.milliseconds(100)

    /// - Parameter onStoppage: told when the work is stopped, when another source gives the reason, and when it goes on.
    init(lanes: Int, onStoppage: @escaping @Sendable (MigrationEvent.Stoppage) -> Void = { _ in }) {
        self.onStoppage = onStoppage
        state = Mutex(State(governor: LaneGovernor(maximum: lanes)))
    }

    /// Waits until the lane with this number, from 0, may take a chunk, or until there is none left to take.
    func admit(lane: Int = 0, hasWork: () -> Bool = { true }) async throws {
        while hasWork() {
            try Task.checkCancellation()
            if state.withLock({ $0.stops.isEmpty && lane < $0.governor.lanes }) { return }
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

    /// nil: this source stops nothing any more.
    func set(_ source: Source, _ stop: Stop?) {
        let (old, new) = state.withLock { state in
            let old = state.first
            state.stops[source] = stop
            return (old, state.first)
        }
        switch (old, new) {
        case (let old?, nil):
            onStoppage(.init(isBeginning: false, condition: old.stop.condition, reason: old.stop.reason))
        case (_, let new?) where new.source != old?.source || new.stop.condition != old?.stop.condition:
            onStoppage(.init(isBeginning: true, condition: new.stop.condition, reason: new.stop.reason))
        default: break
        }
    }

    /// Why nothing may be copied or refreshed; nil when it may.
    var stop: Stop? { state.withLock { $0.stop } }

    /// How many lanes may copy at this moment.
    var lanes: Int { state.withLock { $0.stops.isEmpty ? $0.governor.lanes : 0 } }

    /// Why fewer lanes copy than could, for people; nil when all do.
    var slowdown: String? {
        state.withLock { $0.governor.explanation }
    }

    /// How close a source is to stopping the work, as a part of its limit; 0: nothing to say.
    func set(_ source: Source, pressure: Double) {
        state.withLock { state in
            state.pressures[source] = pressure
            state.governor.observe(pressure: state.pressures.values.max() ?? 0)
        }
    }

    /// Another number of lanes is wanted.
    func setLanes(_ lanes: Int) { state.withLock { $0.governor.setMaximum(lanes) } }
}
