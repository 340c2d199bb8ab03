/// A load beyond which the work stops: `active-sessions<=20`, or `SELECT count(*) FROM queue<=1000`. Pure.
public struct LoadLimit: Sendable, Equatable, CustomStringConvertible {
    public enum Measure: Sendable, Equatable {
        /// Client sessions that execute something, but for ours.
        case activeSessions
        /// Sessions that wait for a heavyweight lock, but for ours.
        case lockWaiters
        /// Bytes of WAL a second, of everybody, us among them.
        case walRate
        /// Checkpoints within the last minute that were not timed: `max_wal_size` is too small for what is written.
        case requestedCheckpoints
        /// The number that a query's first row begins with.
        case query(String)

        init(_ text: String) {
            switch text {
            case "active-sessions": self = .activeSessions
            case "lock-waiters": self = .lockWaiters
            case "wal-rate": self = .walRate
            case "requested-checkpoints": self = .requestedCheckpoints
            default: self = .query(text)
            }
        }
    }

    public let measure: Measure
    public let maximum: Double
    public let description: String
    /// For logs.
    var withoutLiterals: String { SQLRedaction.text(description) }

    /// nil when it is not `MEASURE<=NUMBER`. Sizes take units: `wal-rate<=50MB`.
    public init?(_ text: String) {
        guard let end = text.lastRange(of: "<=") else { return nil }
        let (name, number) = (Self.trimmed(text[..<end.lowerBound]), Self.trimmed(text[end.upperBound...]))
        let value = Double(number) ?? SizeText(number).map { Double($0.bytes) }
        guard !name.isEmpty, let value, value.isFinite else { return nil }
        measure = Measure(name)
        maximum = value
        description = "\(name)<=\(number)"
    }

    /// Several, separated by semicolons. An empty text is none; nil when one of them is no limit.
    public static func list(_ text: String) -> [Self]? {
        var all: [Self] = []
        for part in text.split(separator: ";") where part.contains(where: { !$0.isWhitespace }) {
            guard let limit = Self(String(part)) else { return nil }
            all.append(limit)
        }
        return all
    }

    private static func trimmed(_ text: Substring) -> String {
        var rest = text
        while let first = rest.first, first.isWhitespace { rest.removeFirst() }
        while let last = rest.last, last.isWhitespace { rest.removeLast() }
        return String(rest)
    }
}

extension String {
    fileprivate func lastRange(of mark: String) -> Range<Index>? {
        var found: Range<Index>?
        var start = startIndex
        while let index = self[start...].firstIndex(of: mark[mark.startIndex]) {
            let end = self.index(index, offsetBy: mark.count, limitedBy: endIndex)
            if let end, self[index..<end] == mark { found = index..<end }
            start = self.index(after: index)
        }
        return found
    }
}
