import Logging
import PgConnection

/// Brings the shadow up to the stream, analyses it, and keeps it there until the cut-over is wanted.
struct SyncPhase: Sendable {
    let record: MigrationRecord
    let control: PgConnection
    let connections: ConnectionOptions
    let stream: ChangeStream
    let refresher: Refresher
    let helm: Helm
    let settings: LiveSettings
    let verification: VerifyPhase
    let status: StatusBox
    let events: EventPost
    let log: Logger

    /// So few rows in a pass mean that the shadow is close behind.
    private static let closeEnough = 2_000
    private static let holdInterval = Duration.milliseconds(500)
    /// How many rounds of holding lie between two looks at the spools' sizes.
    private static let roundsPerRenewal = 10

    func catchUp() async throws {
        try await approach()
        // Before the swap and never after: a live table without statistics has brought down more than one application.
        // A partitioned table's takes in its partitions'.
        for table in record.plan.analyzed {
            try await control.cancellable { try $0.execute("ANALYZE \(table.sql)") }
            try Failpoint.analyzed.pass()
        }
        if record.plan.dependants.contains(where: { $0.preparation != nil }) {
            try await approach()
            try await Preparations(
                record: record, control: control, connections: connections, status: status, log: log
            ).run()
        }
        try await approach()
        if try await verification.isWanted() {
            try await verification.run()
            try await approach()
        }
        try await complete()
    }

    /// The shadow is ready to be exchanged.
    private func complete() async throws {
        try await control.transaction { [record] connection in
            try StateStore.setComplete(record.id, on: connection)
            try StateStore.setPhase(.ready, of: record.id, on: connection)
        }
        try Failpoint.becameReady.pass()
    }

    /// Once it is ready and somebody asks for it. Not ready meanwhile.
    func verifyAgain() async throws {
        try await set(.catchingUp)
        try await verification.run()
        try await approach()
        // A snapshot from before a repair still has the row that was wrong.
        if status.snapshot.verify.mismatches > 0 { try await complete() } else { try await set(.ready) }
    }

    private func set(_ phase: Phase) async throws {
        try await control.run { [record] in try StateStore.setPhase(phase, of: record.id, on: $0) }
    }

    /// Until what is left can be settled under the lock: a pass has touched few rows (however often their keys were spooled), or has taken a fraction of
    /// the budget. On a busy
    /// server passes do not get shorter and shorter; they approach a length at which as much arrives as is settled, and under the lock, when
    /// nobody writes, the same keys take less. Under a load that outpaces us this goes on, visibly, for ever.
    private func approach() async throws {
        while true {
            try await stream.drain()
            let start = ContinuousClock.now
            let rows = try await refresher.pass()
            if rows <= Self.closeEnough || ContinuousClock.now - start <= settings.current.cutOverBudget / 4 {
                break
            }
            status.update { $0.reason = "\(rows) changed rows were behind; the application goes on writing" }
        }
        status.update { $0.reason = nil }
    }

    /// What the stream has brought is refreshed. Nothing is written to ask the stream for more: it brings everything by itself, and whoever ends the hold
    /// drains it.
    func hold() async throws {
        guard let wait = helm.cutOverWait, !helm.wantsVerification else { return }
        events.post(.beginPostponed(reason: wait))
        log.notice("\(wait); it is kept in sync, and `shadow-alter cut-over \(record.name)` exchanges the tables")
        var round = 0
        while let wait = helm.cutOverWait, !helm.wantsVerification {
            try helm.checkDeadline()
            status.update {
                $0.reason = wait
                $0.isWaiting = true
            }
            try await refresher.pass()
            if round % Self.roundsPerRenewal == 0, try await refresher.renewSpools() > 0 {
                log.info("made the spool small again")
            }
            round += 1
            try await Task.sleep(for: Self.holdInterval)
        }
    }
}
