import Logging

/// Asks the run's observer before each attempt at the cut-over, without any transaction open, and waits after a veto.
struct CutOverPermission {
    let events: EventPost
    let status: StatusBox
    let settings: LiveSettings
    let log: Logger
    /// Done again and again meanwhile: keeps the new table in sync. Returns false when the cut-over is not wanted any more.
    let meanwhile: () async throws -> Bool

    private var agreed: ContinuousClock.Instant?
    private var lastVeto: String?

    /// An agreement is not for an attempt that somebody else has held up for longer.
    private static let validity = Duration.seconds(10)
    private static let interval = Duration.milliseconds(100)

    init(
        events: EventPost, status: StatusBox, settings: LiveSettings, log: Logger,
        meanwhile: @escaping () async throws -> Bool
    ) {
        self.events = events
        self.status = status
        self.settings = settings
        self.log = log
        self.meanwhile = meanwhile
    }

    /// Whether an attempt may be made now.
    var isGiven: Bool {
        guard events.isObserved else { return true }
        return agreed.map { .now - $0 <= Self.validity } ?? false
    }

    /// For one attempt each.
    mutating func use() { agreed = nil }

    /// Returns when there is an agreement, when the time after a veto is over, or when the cut-over is not wanted any more.
    mutating func ask() async throws {
        guard let question = events.ask() else { return }
        wait(lastVeto ?? "asking whether the tables may be exchanged")
        do {
            while !question.isAnswered {
                guard try await meanwhile() else {
                    question.withdraw()
                    return
                }
                try await Task.sleep(for: Self.interval)
            }
        } catch {
            question.withdraw()
            throw error
        }
        let answer = await question.veto
        try Task.checkCancellation()
        guard let answer else {
            agreed = .now
            lastVeto = nil
            status.update {
                $0.reason = nil
                $0.isWaiting = false
            }
            return
        }
        try await sitOut("vetoed by \(answer)")
    }

    private mutating func sitOut(_ veto: String) async throws {
        let pause = settings.current.vetoInterval
        log.notice("the cut-over is \(veto); asked again in \(DurationText(pause))")
        lastVeto = veto
        wait(veto)
        let end = ContinuousClock.now + pause
        while ContinuousClock.now < end {
            guard try await meanwhile() else { return }
            try await Task.sleep(for: min(Self.interval * 5, end - .now))
        }
    }

    private func wait(_ reason: String) {
        status.update {
            $0.reason = reason
            $0.isWaiting = true
        }
    }
}
