/// How long the server has said nothing, and what is to be done about it. Pure.
///
/// The kernel keeps a connection alive whose other end is a proxy that has forgotten us. `wal_sender_timeout` ends the server's side; this is
/// the same for ours (as `wal_receiver_timeout` is for a standby).
struct Silence: Sendable {
    enum Step: Sendable, Equatable {
        case wait
        /// The server is to be asked for a sign of life. Said once.
        case ask
        case giveUp
    }

    let limit: Duration
    private var lastHeard: ContinuousClock.Instant
    private var hasAsked = false

    init(limit: Duration, now: ContinuousClock.Instant = .now) {
        self.limit = limit
        lastHeard = now
    }

    /// Something came, or nobody listens.
    mutating func end(at now: ContinuousClock.Instant) {
        lastHeard = now
        hasAsked = false
    }

    mutating func step(at now: ContinuousClock.Instant) -> Step {
        let silence = now - lastHeard
        if silence >= limit { return .giveUp }
        guard silence >= limit / 2, !hasAsked else { return .wait }
        hasAsked = true
        return .ask
    }
}
