import Logging
import Synchronization

/// Hands the events of one run to its observer, one after the other and in their order, while the run goes on.
final class EventPost: Sendable {
    /// Whether the cut-over may be attempted, asked of the observer.
    struct Question: Sendable {
        fileprivate let task: Task<String?, Never>
        fileprivate let flag: Flag

        var isAnswered: Bool { flag.isSet }

        /// Why it may not; nil: it may.
        var veto: String? { get async { await task.value } }

        func withdraw() { task.cancel() }
    }

    fileprivate final class Flag: Sendable {
        private let value = Mutex(false)
        var isSet: Bool { value.withLock { $0 } }
        func set() { value.withLock { $0 = true } }
    }

    private struct State {
        var subject: EventScene.Subject
        var sketch: StatusSketch
        var last: Task<String?, Never>?
        /// Those that wait or are being told.
        var tasks: [Int: Task<String?, Never>] = [:]
        var count = 0
        var hasCutOver = false
        var clock: Task<Void, any Error>?
    }

    private let observer: (any MigrationObserver)?
    private let box: StatusBox
    private let interval: Duration
    private let log: Logger
    private let state: Mutex<State>

    /// More would be told long after they are true.
    private static let longestQueue = 50

    init(_ request: MigrationRequest, options: MigrationOptions, status: StatusBox, log: Logger) {
        observer = options.observer
        interval = options.statusInterval
        box = status
        self.log = log
        let subject = EventScene.Subject(request)
        state = Mutex(State(subject: subject, sketch: StatusSketch(subject, startedAt: "")))
    }

    /// Whether anybody listens; otherwise nothing need be prepared for it.
    var isObserved: Bool { observer != nil }

    func learn(_ body: (inout EventScene.Subject) -> Void) {
        state.withLock { body(&$0.subject) }
    }

    /// From here on statuses are told as changes of this one.
    func learn(_ base: StatusSketch) {
        state.withLock { $0.sketch = base }
    }

    func updateSketch(_ body: (inout MigrationStatus) -> Void) {
        state.withLock { body(&$0.sketch.base) }
    }

    /// Begins to tell the status every so often.
    func start() {
        guard isObserved else { return }
        let clock = Task { [interval, weak self] in
            while true {
                try await Task.sleep(for: interval)
                self?.post(.status)
            }
        }
        state.withLock { $0.clock = clock }
    }

    /// Returns at once.
    func post(_ event: MigrationEvent) {
        guard observer != nil else { return }
        let isWelcome = state.withLock { state in
            switch event.kind {
            case .status: return state.tasks.isEmpty
            case .throttle: return state.tasks.count < Self.longestQueue
            case .cutOver:
                defer { state.hasCutOver = true }
                return !state.hasCutOver
            default: return true
            }
        }
        if isWelcome { enqueue(event) }
    }

    /// Asks whether the cut-over may be attempted; nil when there is nobody to be asked.
    func ask() -> Question? {
        guard observer != nil else { return nil }
        let flag = Flag()
        return Question(task: enqueue(.beforeCutOver, flag), flag: flag)
    }

    /// The last event: returns when it, and all before it, have been told. An interruption meanwhile ends them; one from before spares the last.
    func end(_ event: MigrationEvent) async {
        guard observer != nil else { return }
        state.withLock { $0.clock?.cancel() }
        guard !Task.isCancelled else {
            interrupt()
            _ = await enqueue(event).value
            return
        }
        let task = enqueue(event)
        await withTaskCancellationHandler {
            _ = await task.value
        } onCancel: {
            self.interrupt()
        }
    }

    /// The last first: the end of one would let the next begin.
    private func interrupt() {
        let tasks = state.withLock { $0.tasks.sorted { $0.key > $1.key } }
        for (_, task) in tasks { task.cancel() }
    }

    @discardableResult
    private func enqueue(_ event: MigrationEvent, _ flag: Flag? = nil) -> Task<String?, Never> {
        // Whoever stops or releases the work may hold locks of the status: that one is drawn when it is told.
        let scene = event.kind == .throttle ? nil : scene(of: event)
        return state.withLock { state in
            state.count += 1
            let (number, previous) = (state.count, state.last)
            let task = Task { [self] in
                _ = await previous?.value
                let veto = Task.isCancelled ? nil : await tell(event, in: scene ?? self.scene(of: event))
                _ = self.state.withLock { $0.tasks.removeValue(forKey: number) }
                flag?.set()
                return veto
            }
            state.tasks[number] = task
            state.last = task
            return task
        }
    }

    private func scene(of event: MigrationEvent) -> EventScene {
        let live = box.snapshot
        return state.withLock { state in
            let status = state.sketch.status(live, during: event)
            let percent = status.phase > .copying ? 100 : live.copyFraction.map { $0 * 100 }
            return EventScene(subject: state.subject, status: status, percent: percent)
        }
    }

    /// Returns what the observer has thrown.
    private func tell(_ event: MigrationEvent, in scene: EventScene) async -> String? {
        do {
            try await observer?.observe(event, in: scene)
            return nil
        } catch is CancellationError {
            return nil
        } catch {
            if event.kind != .beforeCutOver {
                log.warning("whoever is told of \(event.kind.rawValue) failed: \(error)")
            }
            return "\(error)"
        }
    }
}
