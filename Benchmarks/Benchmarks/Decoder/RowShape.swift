/// Kinds of tables. The first column is the key.
enum RowShape: String, CaseIterable {
    /// What a publication with the key's columns alone sends, which is what shadow-alter makes on PostgreSQL 15 and later.
    case key
    /// The same with a uuid.
    case uuidKey = "uuid-key"
    /// Three columns, some 60 bytes.
    case small
    /// Eight columns, some 200 bytes.
    case typical
    /// A hundred columns.
    case wide
    /// 20 kB, of which one value is 18 kB.
    case toast

    /// One row; the same number makes the same row.
    func row(_ number: Int) -> [MessageWriter.Value] {
        let id = MessageWriter.Value.text(String(1_000_000 + number))
        switch self {
        case .key: return [id]
        case .uuidKey: return [.text("7c9e6679-7425-40de-944b-e07fc1\(100_000 + number % 900_000)")]
        case .small: return [id, .text("pending"), .text("a short remark")]
        case .typical:
            return [
                id, .text(String(number * 7919 % 100_000)), .text("somebody.\(number)@example.com"),
                .text("2026-03-0\(1 + number % 9) 12:34:56.789012+00"), .text("\(number % 5000).\(10 + number % 90)"),
                number.isMultiple(of: 3) ? .null : .text("t"),
                .text(#"{"source": "web", "campaign": "spring"}"#), .text("delivered to the neighbour"),
            ]
        case .wide:
            return [id]
                + (1..<100).map { column -> MessageWriter.Value in
                    switch (number + column) % 4 {
                    case 0: .null
                    case 1: .text(String(number * column % 1_000_000))
                    case 2: .text("2026-03-01 12:34:56+00")
                    default: .text("value of \(column)")
                    }
                }
        case .toast:
            return [
                id, .text(String(repeating: "d", count: 18_000)), .text(String(repeating: "s", count: 1_900)),
                .text("2026-03-01 12:34:56+00"),
            ]
        }
    }

    /// The key alone, as old tuples have it: all the other columns are there, but null.
    func key(_ number: Int) -> [MessageWriter.Value] {
        let row = row(number)
        return row.prefix(1) + row.dropFirst().map { _ in .null }
    }

    /// A row of which an update has not touched what is stored out of line.
    func untouched(_ number: Int) -> [MessageWriter.Value] {
        row(number).map { value in
            guard case .text(let text) = value, text.utf8.count > 10_000 else { return value }
            return .unchangedToast
        }
    }
}
