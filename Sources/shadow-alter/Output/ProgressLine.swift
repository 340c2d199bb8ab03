import Synchronization

/// One line at the bottom of a terminal that is written over again and again, with log lines scrolling above it.
final class ProgressLine: Sendable {
    private let current = Mutex("")

    private static let clear = "\r\u{1B}[K"

    func show(_ text: String) {
        current.withLock { current in
            current = String(text.prefix(Terminal.width - 1))
            Terminal.writeError(Self.clear + current)
        }
    }

    /// Prints a line of its own above.
    func above(_ text: String) {
        current.withLock { Terminal.writeError(Self.clear + text + "\n" + $0) }
    }

    func end() {
        current.withLock { current in
            if !current.isEmpty { Terminal.writeError(Self.clear) }
            current = ""
        }
    }
}
