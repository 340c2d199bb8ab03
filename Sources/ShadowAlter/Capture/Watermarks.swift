import Synchronization

/// Who waits for which watermark to be reached: to be met in the stream, and everything before it durable in the spool.
final class Watermarks: Sendable {
    private enum Waiter {
        /// Nobody waits yet.
        case registered
        case waiting(CheckedContinuation<Void, any Error>)
        /// Reached or failed before anybody waited.
        case settled(Result<Void, any Error>)
    }

    private struct State {
        var waiters: [String: Waiter] = [:]
        var failure: (any Error)?
        var next = 0
    }

    private let state = Mutex(State())
    /// Tells this process's watermarks from those of one before it.
    private let prefix: String

    init(process: String) {
        prefix = process
    }

    /// A name that was not given before. To be waited for exactly once.
    func register() -> String {
        state.withLock { state in
            state.next += 1
            let id = "\(prefix)-\(state.next)"
            state.waiters[id] = .registered
            return id
        }
    }

    /// Returns when the watermark is reached; throws what `fail` was called with, or `CancellationError`.
    func wait(for id: String) async throws {
        try await withTaskCancellationHandler {
            try await withCheckedThrowingContinuation { continuation in
                let result = state.withLock { state -> Result<Void, any Error>? in
                    if let failure = state.failure {
                        state.waiters[id] = nil
                        return .failure(failure)
                    }
                    if case .settled(let result)? = state.waiters[id] {
                        state.waiters[id] = nil
                        return result
                    }
                    state.waiters[id] = .waiting(continuation)
                    return nil
                }
                if let result { continuation.resume(with: result) }
            }
        } onCancel: {
            settle(id, .failure(CancellationError()))
        }
    }

    /// To be called by the spooler, once everything before these watermarks is durable.
    func reached(_ ids: [String]) {
        for id in ids { settle(id, .success(())) }
    }

    /// Ends one wait with an error.
    func fail(_ id: String, _ error: any Error) { settle(id, .failure(error)) }

    /// Ends all waits, present and future.
    func failAll(_ error: any Error) {
        let ids = state.withLock { state in
            state.failure = error
            return Array(state.waiters.keys)
        }
        for id in ids { settle(id, .failure(error)) }
    }

    private func settle(_ id: String, _ result: Result<Void, any Error>) {
        let continuation = state.withLock { state -> CheckedContinuation<Void, any Error>? in
            guard let registered = state.waiters[id] else { return nil }
            guard case .waiting(let continuation) = registered else {
                state.waiters[id] = .settled(result)
                return nil
            }
            state.waiters[id] = nil
            return continuation
        }
        continuation?.resume(with: result)
    }
}
