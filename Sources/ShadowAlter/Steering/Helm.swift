import Logging
import Synchronization

/// What operators want of a run that is alive: obeyed by its phases, fed by the heartbeat and the control socket.
final class Helm: Sendable {
    private struct State {
        var steering = Steering()
        /// What was last said of the hold, so that the log tells it once.
        var hold: Steering.Hold?
        /// What the cut-over waits for by the command line's schedule; nil: nothing.
        var schedule: String? = "the schedule has not been looked at yet"
        var isOverdue = false
        /// When the last verification began.
        var verifiedAt: Double?

        var wantsVerification: Bool {
            steering.verification.map { wish in verifiedAt.map { $0 <= wish } ?? true } ?? false
        }
    }

    private let state = Mutex(State())
    private let settings: LiveSettings
    private let throttle: Throttle
    private let status: StatusBox
    private let log: Logger
    /// Of a run whose tables are exchanged: what is waited for is a rollback.
    private let isBaking: Bool

    init(settings: LiveSettings, throttle: Throttle, status: StatusBox, log: Logger, isBaking: Bool = false) {
        self.isBaking = isBaking
        self.status = status
        self.settings = settings
        self.throttle = throttle
        self.log = log
    }

    /// What the cut-over waits for, for people; nil when the tables may be exchanged. What was asked for by hand goes before the schedule.
    var cutOverWait: String? {
        state.withLock { state in
            if state.wantsVerification { return "a verification was asked for" }
            if isBaking { return state.steering.wantsRollback ? nil : "the old table follows the new one" }
            return switch state.steering.cutOver {
            case .wanted?: nil
            case .postponed?: "the new table stands ready; the cut-over is postponed until `cut-over`"
            case nil: state.schedule
            }
        }
    }

    var mayCutOver: Bool { cutOverWait == nil }

    /// Somebody wants the old tables back.
    var wantsRollback: Bool { state.withLock { $0.steering.wantsRollback } }

    /// Somebody has asked for a verification that has not begun yet.
    var wantsVerification: Bool { state.withLock { $0.wantsVerification } }

    /// - Parameter startedAt: seconds since 1970 by the server's clock.
    func setVerification(startedAt: Double?) { state.withLock { $0.verifiedAt = startedAt } }

    /// The run's deadline for the cut-over has passed.
    var isOverdue: Bool { state.withLock { $0.isOverdue } }

    func set(schedule: String?, isOverdue: Bool) {
        state.withLock {
            $0.schedule = schedule
            $0.isOverdue = isOverdue
        }
    }

    /// Throws when the deadline has passed.
    func checkDeadline() throws {
        guard isOverdue else { return }
        throw MigrationError(
            .deadlineMissed, "the tables were not exchanged before the deadline",
            state:
                "no live table was touched; the new one, the slot and everything copied are kept, and the slot holds WAL",
            advice: "run the same command with a later --cut-over-deadline to go on, or `shadow-alter abort`")
    }

    /// - Parameter now: seconds since 1970 by the server's clock.
    func obey(_ new: Steering, now: Double) {
        let (old, oldHold) = state.withLock { state in
            let before = (state.steering, state.hold)
            state.steering = new
            state.hold = new.hold(now: now)
            return before
        }
        // Before anybody goes on who was held: with what was set meanwhile.
        for (name, value) in new.settings.sorted(by: { $0.key < $1.key }) where old.settings[name] != value {
            apply(name, value)
        }
        obey(new.hold(now: now), before: oldHold)
        if new.verification != old.verification { log.notice("a verification was asked for") }
        if new.wantsRollback != old.wantsRollback {
            log.notice("\(new.wantsRollback ? "the rollback was asked for" : "the rollback was taken back")")
        }
        if !isBaking, new.cutOver != old.cutOver, let wish = new.cutOver {
            log.notice("\(wish == .wanted ? "the cut-over was asked for" : "the cut-over was postponed")")
        }
    }

    private func obey(_ hold: Steering.Hold?, before: Steering.Hold?) {
        switch hold?.kind {
        case .paused?: throttle.set(.operator, Throttle.Stop(.paused, "paused by `pause`"))
        case .throttled?: throttle.set(.operator, Throttle.Stop(.throttled, "throttled by `throttle`"))
        case nil: throttle.set(.operator, nil)
        }
        status.update { $0.stop = throttle.stop }
        guard hold != before else { return }
        switch hold?.kind {
        case .paused?: log.notice("paused; changes go on being spooled")
        case .throttled?: log.notice("throttled by an operator; changes go on being spooled")
        case nil: log.notice("resumed")
        }
    }

    private func apply(_ name: String, _ value: String) {
        guard let setting = Setting(rawValue: name) else {
            log.warning("there is no setting \(name) in this version; its value is ignored")
            return
        }
        do throws(SettingError) {
            try settings.set(setting, to: value)
            log.notice("\(name) is \(settings.current.loggedValue(of: setting)) now, as it was set")
        } catch {
            log.warning("\(error); it stays at \(settings.current.loggedValue(of: setting))")
        }
    }
}
