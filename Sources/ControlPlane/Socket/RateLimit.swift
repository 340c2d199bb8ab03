/// So many commands a second at most, of all clients together; who comes too early waits.
actor RateLimit {
    private let interval: Duration
    private var next = ContinuousClock.now

    init(perSecond: Int) { interval = .seconds(1) / perSecond }

    func admit() async {
        let now = ContinuousClock.now
        let mine = max(now, next)
        next = mine + interval
        // Cancelled or not, the command is answered.
        if mine > now { try? await Task.sleep(for: mine - now) }
    }
}
