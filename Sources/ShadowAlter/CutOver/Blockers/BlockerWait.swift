import Logging
import PgConnection

/// Waits until nobody is in the way of the cut-over. A request for ACCESS EXCLUSIVE that waits makes everybody wait who comes after it, so that
/// none is made while it could not be granted.
struct BlockerWait: Sendable {
    let control: PgConnection
    let settings: LiveSettings
    let status: StatusBox
    let log: Logger

    private static let lookInterval = Duration.milliseconds(500)

    /// - Parameters:
    ///   - note: told who is in the way, whenever that changes.
    ///   - meanwhile: called between two looks; false ends the wait.
    func run(
        _ finder: BlockerFinder, note: (String) async throws -> Void, meanwhile: () async throws -> Bool
    ) async throws {
        var reported: [Blocker.Identity] = []
        var passedOver: Set<Blocker.Identity> = []
        var patience = BlockerPatience()
        while true {
            let found = try await control.run { try finder.find(on: $0) }
            let blockers = found.filter(settings.current.waits(for:))
            for blocker in found where !blockers.contains(blocker) && !passedOver.contains(blocker.identity) {
                log.notice("the cut-over does not wait, as `standby-snapshots` says: \(blocker)")
                passedOver.insert(blocker.identity)
            }
            guard let first = blockers.first else { break }
            let more = blockers.count > 1 ? " (and \(blockers.count - 1) more)" : ""
            guard try await meanwhile() else { break }
            status.update {
                $0.reason = "waiting: \(first)\(more)"
                $0.isWaiting = true
            }
            if blockers.map(\.identity) != reported {
                for blocker in blockers { log.notice("the cut-over waits: \(blocker)") }
                reported = blockers.map(\.identity)
                try await note("cut-over waits: \(first)\(more)")
            }
            for blocker in patience.due(blockers, settings.current.blockerTermination, at: .now) {
                try await end(blocker)
            }
            try await Task.sleep(for: Self.lookInterval)
        }
        status.update {
            $0.reason = nil
            $0.isWaiting = false
        }
    }

    /// Ends a session that is still in the transaction that was in the way. It may have ended by itself a moment ago, which is as well.
    private func end(_ blocker: Blocker) async throws {
        guard let pid = blocker.pid else { return }
        do {
            let ended = try await control.query(
                """
                SELECT pg_terminate_backend(a.pid) FROM pg_stat_activity a
                WHERE a.pid = $1 AND a.backend_start = $2::timestamptz AND a.xact_start = $3::timestamptz
                """, [.int(pid), .text(blocker.sessionStart), .text(blocker.transactionStart)])
            guard ended.first != nil else { return }
            log.warning("ended a session because of --terminate-blockers: \(blocker)")
        } catch let error as PgError where error.sqlState == .insufficientPrivilege {
            log.warning("may not end session \(pid), which is in the way: \(error.message); GRANT pg_signal_backend")
        }
    }
}
