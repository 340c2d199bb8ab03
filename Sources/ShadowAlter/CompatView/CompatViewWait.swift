import Logging
import PgConnection

/// Waits until nothing is built any more on the views that the exchange takes away. No lock is asked for meanwhile.
struct CompatViewWait: Sendable {
    let plan: MigrationPlan
    let control: PgConnection
    let status: StatusBox
    let log: Logger

    private static let lookInterval = Duration.milliseconds(500)

    /// - Parameters:
    ///   - note: told what is in the way, whenever that changes.
    ///   - meanwhile: called between two looks; false ends the wait.
    func run(note: (String) async throws -> Void, meanwhile: () async throws -> Bool) async throws {
        var reported: CompatViewsInUse?
        while let use = try await look() {
            guard try await meanwhile() else { break }
            status.update {
                $0.reason = "waiting: \(use)"
                $0.isWaiting = true
            }
            if use != reported {
                log.notice("the cut-over waits: \(use); drop or move it, and the cut-over goes on")
                reported = use
                try await note("cut-over waits: \(use); drop or move it, and the cut-over goes on")
            }
            try await Task.sleep(for: Self.lookInterval)
        }
        guard reported != nil else { return }
        status.update {
            $0.reason = nil
            $0.isWaiting = false
        }
    }

    func look() async throws -> CompatViewsInUse? {
        guard !plan.leavingShapes.isEmpty else { return nil }
        return try await control.run { [plan] in try CompatViewsInUse.find(plan, on: $0) }
    }
}
