import ShadowAlter

/// One answer for all who ask within a second: however many scrape, the database is asked once.
actor StatusCache {
    private let control: any MigrationControl
    private let lifetime: Duration
    private var known: (status: MigrationStatus, at: ContinuousClock.Instant)?
    private var question: Task<MigrationStatus, any Error>?
    private var changes = 0

    init(_ control: any MigrationControl, lifetime: Duration) {
        self.control = control
        self.lifetime = lifetime
    }

    /// What goes wrong is told to those who have asked together, and not kept.
    func status() async throws -> MigrationStatus {
        if let known, .now - known.at < lifetime { return known.status }
        if let question { return try await question.value }
        let new = Task { [control] in try await control.status() }
        let before = changes
        question = new
        let result = await new.result
        guard changes == before else { return try result.get() }
        question = nil
        let status = try result.get()
        known = (status, .now)
        return status
    }

    /// Something was changed: who asks now is not told what was asked before.
    func forget() {
        known = nil
        question = nil
        changes += 1
    }
}
