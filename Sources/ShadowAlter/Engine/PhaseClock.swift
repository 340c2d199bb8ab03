import Logging

/// Says which phase a run is in, and remembers how long each took.
struct PhaseClock: Sendable {
    let status: StatusBox
    let log: Logger

    func measure<Value: Sendable>(_ phase: Phase, _ body: () async throws -> Value) async rethrows -> Value {
        status.update {
            $0.phase = phase
            // It was about the phase before.
            $0.reason = nil
            $0.isWaiting = false
        }
        log.info("phase \(phase.rawValue)")
        let start = ContinuousClock.now
        let value = try await body()
        let seconds = (ContinuousClock.now - start).seconds
        status.update { snapshot in
            if let last = snapshot.timings.last, last.phase == phase.rawValue {
                snapshot.timings[snapshot.timings.count - 1].seconds += seconds
            } else {
                snapshot.timings.append(.init(phase: phase.rawValue, seconds: seconds))
            }
        }
        return value
    }
}
