/// A row's key: the canonical texts of its columns.
struct Key: Hashable, Sendable, Comparable, CustomStringConvertible {
    /// The columns' texts with the unit separator (U+001F) between them, as the server's `chr(31)` joins them.
    let text: String

    private static let separator: Character = "\u{1F}"

    init(text: String) {
        self.text = text
    }

    init(parts: [String]) {
        text = parts.joined(separator: String(Self.separator))
    }

    var parts: [String] {
        text.split(separator: Self.separator, omittingEmptySubsequences: false).map(String.init)
    }

    /// As a person reads it: `(7, 3)` for a composite key.
    var description: String {
        let parts = parts
        return parts.count == 1 ? text : "(" + parts.joined(separator: ", ") + ")"
    }

    /// The order of the bytes, which is that of the collation "C".
    static func < (left: Self, right: Self) -> Bool {
        left.text.utf8.lexicographicallyPrecedes(right.text.utf8)
    }
}
