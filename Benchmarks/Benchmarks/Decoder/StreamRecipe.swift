/// A stream to measure by, and its name. It is made only when it is needed: each benchmark runs in a process of its own.
struct StreamRecipe: Sendable {
    let name: String
    let make: @Sendable () -> MessageStream

    /// Each operation on each shape of a row that differs in what is sent, and what a server really sent.
    static let all =
        [RowShape.key, .uuidKey].map(insert)
        + [RowShape.small, .typical].flatMap {
            [insert($0), update($0), updateOfKey($0), updateWithFullRow($0), delete($0)]
        }
        + [RowShape.wide, .toast].flatMap { [insert($0), update($0), delete($0)] }
        + [captured]

    private static func insert(_ shape: RowShape) -> Self {
        make("\(shape.rawValue)-insert") { MessageWriter.insert(shape.row($0)) }
    }

    private static func update(_ shape: RowShape) -> Self {
        make("\(shape.rawValue)-update") { MessageWriter.update(shape.untouched($0)) }
    }

    private static func updateOfKey(_ shape: RowShape) -> Self {
        make("\(shape.rawValue)-update-of-key") {
            MessageWriter.update(old: shape.key($0), shape.untouched($0 + 1))
        }
    }

    private static func updateWithFullRow(_ shape: RowShape) -> Self {
        make("\(shape.rawValue)-update-with-full-old-row") {
            MessageWriter.update(old: shape.row($0), oldTag: "O", shape.row($0))
        }
    }

    private static func delete(_ shape: RowShape) -> Self {
        make("\(shape.rawValue)-delete") { MessageWriter.delete(shape.key($0)) }
    }

    private static func make(_ name: String, _ message: @escaping @Sendable (Int) -> [UInt8]) -> Self {
        Self(name: name) { MessageStream(message) }
    }

    /// Rows of several tables, and Begin, Commit, Relation and others among them.
    private static let captured = Self(name: "captured") {
        let paragraphs = CapturedFromPostgres18.text.split(separator: "\n", omittingEmptySubsequences: false)
            .split(whereSeparator: \.isEmpty)
        return MessageStream(repeating: paragraphs.map { bytes(hex: $0.joined()) })
    }

    private static func bytes(hex: String) -> [UInt8] {
        let digits = hex.compactMap(\.hexDigitValue)
        return stride(from: 0, to: digits.count - 1, by: 2).map { UInt8(digits[$0] << 4 | digits[$0 + 1]) }
    }
}
