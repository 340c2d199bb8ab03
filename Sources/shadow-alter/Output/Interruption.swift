import Glibc
import UnixSignals

/// Runs `body` as a task that the first SIGINT or SIGTERM cancels, so that it ends in order; the second one ends the process at
/// once, as `kill -9` would.
func interruptible<Value: Sendable>(
    onSignal: @escaping @Sendable (UnixSignal) -> Void, _ body: @escaping @Sendable () async throws -> Value
) async throws -> Value {
    let work = Task { try await body() }
    let signals = await UnixSignalsSequence(trapping: .sigint, .sigterm)
    let watcher = Task {
        var count = 0
        for await signal in signals {
            count += 1
            if count > 1 { _exit(130) }
            onSignal(signal)
            work.cancel()
        }
    }
    defer { watcher.cancel() }
    return try await work.value
}
