/// Whom the cut-over may end, and when: `after=30s`, `after=2m,idle-in-transaction-only`. Pure.
public struct BlockerTermination: Sendable, Equatable, CustomStringConvertible {
    /// How long somebody must have been in the way of a cut-over that could be made otherwise. More than zero.
    public let after: Duration
    /// Only who does nothing in its transaction.
    public let idleInTransactionOnly: Bool

    public init(after: Duration, idleInTransactionOnly: Bool = false) {
        self.after = after
        self.idleInTransactionOnly = idleInTransactionOnly
    }

    /// nil when it is nothing of the kind.
    public init?(_ text: String) {
        let parts = text.split(separator: ",", omittingEmptySubsequences: false)
        guard (1...2).contains(parts.count), parts[0].hasPrefix("after="),
            let time = DurationText(String(parts[0].dropFirst("after=".count))), time.duration >= .milliseconds(1),
            parts.count == 1 || parts[1] == "idle-in-transaction-only"
        else { return nil }
        self.init(after: time.duration, idleInTransactionOnly: parts.count == 2)
    }

    public var description: String {
        "after=\(DurationText(after))" + (idleInTransactionOnly ? ",idle-in-transaction-only" : "")
    }

    func mayEnd(_ blocker: Blocker) -> Bool {
        blocker.pid != nil && blocker.protection == nil
            && (!idleInTransactionOnly || blocker.state.hasPrefix("idle in transaction"))
    }
}

/// Since when each of those in the way has been there. Pure.
struct BlockerPatience: Sendable {
    private var since: [Blocker.Identity: ContinuousClock.Instant] = [:]

    /// Takes who is in the way now. Returns who is to be ended; each of them is given as much time again.
    mutating func due(
        _ blockers: [Blocker], _ termination: BlockerTermination?, at now: ContinuousClock.Instant
    ) -> [Blocker] {
        // Whoever was gone in between begins anew.
        let present = Set(blockers.map(\.identity))
        since = since.filter { present.contains($0.key) }
        for identity in present where since[identity] == nil { since[identity] = now }
        guard let termination else { return [] }
        return blockers.filter { blocker in
            guard termination.mayEnd(blocker), let start = since[blocker.identity], now - start >= termination.after
            else { return false }
            since[blocker.identity] = now
            return true
        }
    }
}
