/// Lets operations through, or holds them back; knows when none is in progress.
actor Gate {
    private var isClosed = false
    private var isEnding = false
    private var inside = 0
    private var waiting: [CheckedContinuation<Void, Never>] = []
    private var closing: [CheckedContinuation<Void, Never>] = []

    /// Waits until the gate is open. Returns false when there is to be no further operation; otherwise `leave` must follow.
    func enter() async -> Bool {
        while isClosed && !isEnding { await withCheckedContinuation { waiting.append($0) } }
        guard !isEnding else { return false }
        inside += 1
        return true
    }

    func leave() {
        inside -= 1
        guard inside == 0 else { return }
        for continuation in closing { continuation.resume() }
        closing.removeAll()
    }

    /// Returns when nothing is in progress any more.
    func close() async {
        isClosed = true
        while inside > 0 { await withCheckedContinuation { closing.append($0) } }
    }

    func open() {
        isClosed = false
        release()
    }

    func end() {
        isEnding = true
        release()
    }

    var hasEnded: Bool { isEnding }
    var isOpen: Bool { !isClosed && !isEnding }

    private func release() {
        for continuation in waiting { continuation.resume() }
        waiting.removeAll()
    }
}
