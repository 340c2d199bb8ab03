/// The lines in which two texts differ, as `diff` shows them. Pure.
struct DumpDifference: Sendable, Equatable {
    /// `- line` for a line of the first text only, `+ line` for one of the second only.
    let lines: [String]

    init(from before: String, to after: String) {
        func split(_ text: String) -> [Substring] { text.split(separator: "\n", omittingEmptySubsequences: false) }
        let difference = split(after).difference(from: split(before))
        lines = difference.removals.map { Self.line("-", $0) } + difference.insertions.map { Self.line("+", $0) }
    }

    private static func line(_ sign: String, _ change: CollectionDifference<Substring>.Change) -> String {
        switch change {
        case .remove(_, let line, _), .insert(_, let line, _): "\(sign) \(line)"
        }
    }
}
