/// Cuts a hook's output into lines fit for a log, and ends it at a limit. Pure.
struct HookOutput: Sendable {
    /// Of one hook, in bytes.
    static let limit = 64 * 1024
    /// A longer line is cut into several.
    static let longestLine = 4096

    private var taken = 0
    private var pending: [UInt8] = []
    private(set) var isCut = false
    /// The last line that says anything.
    private(set) var lastLine: String?

    /// Returns the lines that are complete now.
    mutating func take(_ bytes: some Sequence<UInt8>) -> [String] {
        guard !isCut else { return [] }
        var lines: [String] = []
        for byte in bytes {
            guard taken < Self.limit else {
                isCut = true
                lines += flush()
                lines.append("(its output is cut here, after \(Self.limit / 1024) kB)")
                return lines
            }
            taken += 1
            if byte == UInt8(ascii: "\n") {
                lines += flush()
            } else {
                pending.append(byte)
                if pending.count >= Self.longestLine { lines += flush() }
            }
        }
        return lines
    }

    /// What is left when there is no more to come: a line without its end.
    mutating func finish() -> [String] { flush() }

    private mutating func flush() -> [String] {
        defer { pending.removeAll(keepingCapacity: true) }
        let line = Self.printable(pending)
        guard !line.isEmpty else { return [] }
        lastLine = line
        return [line]
    }

    /// Without what would drive a terminal.
    private static func printable(_ bytes: [UInt8]) -> String {
        var scalars = String.UnicodeScalarView()
        for scalar in String(decoding: bytes, as: UTF8.self).unicodeScalars {
            switch scalar.value {
            case 9: scalars.append(" ")
            case 0..<32, 127..<160: break
            default: scalars.append(scalar)
            }
        }
        var text = Substring(String(scalars))
        while let last = text.last, last.isWhitespace { text.removeLast() }
        return String(text)
    }
}
