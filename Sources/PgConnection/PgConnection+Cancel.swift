import Synchronization

extension PgConnection {
    /// Asks the server to cancel the statement in progress, which then throws `server(.queryCanceled)`. Without effect when
    /// none is; never hits a later one. Returns at once; the request travels on a thread of its own, because the
    /// connection's is busy.
    public nonisolated func cancel() {
        let cancellation = handle.cancellation
        guard let statement = cancellation.current else { return }
        ConnectionThread.detach { cancellation.request { $0 == statement } }
    }

    /// Runs `body` on the connection's thread; cancelling the calling task cancels the statement in progress, and each
    /// one that `body` starts after it.
    ///
    /// Throws `CancellationError` when the task was cancelled before the body began; once it has begun, what the body
    /// throws (`server(.queryCanceled)` unless it catches that).
    @discardableResult
    public nonisolated func cancellable<Value: Sendable>(
        _ body: @Sendable (isolated PgConnection) throws -> Value
    ) async throws -> Value {
        let cancellation = handle.cancellation
        let hasEnded = Flag()
        return try await withTaskCancellationHandler {
            try await run { connection in
                defer { hasEnded.raise() }
                try Task.checkCancellation()
                return try body(connection)
            }
        } onCancel: {
            // More than one request: the first may come between two statements, or before the server has read the one
            // that is on its way to it.
            ConnectionThread.detach {
                while !hasEnded.isRaised {
                    // The flag is raised before a statement that comes after the body, so it tells them apart.
                    cancellation.request { _ in !hasEnded.isRaised }
                    ConnectionThread.sleep(milliseconds: 20)
                }
            }
        }
    }
}

private final class Flag: Sendable {
    private let value = Atomic(false)
    var isRaised: Bool { value.load(ordering: .acquiring) }
    func raise() { value.store(true, ordering: .releasing) }
}
