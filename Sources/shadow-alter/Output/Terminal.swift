import Glibc

/// The process's standard streams.
enum Terminal {
    static var standardErrorIsTerminal: Bool { isatty(2) == 1 }

    /// Columns of the terminal at standard error, 80 where nobody knows.
    static var width: Int {
        var size = winsize()
        return ioctl(2, UInt(TIOCGWINSZ), &size) == 0 && size.ws_col > 20 ? Int(size.ws_col) : 80
    }

    static func print(_ text: String) { write(text + "\n", to: 1) }
    static func printError(_ text: String) { write(text + "\n", to: 2) }
    static func writeError(_ text: String) { write(text, to: 2) }

    /// Unbuffered, and whole even when the descriptor takes it in pieces.
    private static func write(_ text: String, to descriptor: Int32) {
        var bytes = Array(text.utf8)[...]
        while !bytes.isEmpty {
            let written = bytes.withUnsafeBytes { Glibc.write(descriptor, $0.baseAddress, $0.count) }
            if written < 0 && errno == EINTR { continue }
            guard written > 0 else { return }
            bytes = bytes.dropFirst(written)
        }
    }
}
