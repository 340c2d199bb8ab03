/// A row that the new definition does not take.
public struct BadRow: Encodable, Sendable, Equatable {
    /// Where it was found.
    public enum Origin: String, Encodable, Sendable {
        /// It was there when the migration began, or nobody has written it since as far as the stream has told.
        case existing
        /// The application has written it since the migration began.
        case written
    }

    /// A column that has to do with it, and its value in the old table: quoted, and only the beginning of a long one; `NULL` without quotes.
    public struct Column: Encodable, Sendable, Equatable {
        public var name: String
        public var value: String
    }

    public var table: String
    /// `id = '8'`, with the old table's key columns.
    public var key: String
    /// Empty where PostgreSQL's message belongs to no column of the old table.
    public var columns: [Column]
    /// What PostgreSQL says.
    public var reason: String
    public var origin: Origin

    /// For people, without the table's name.
    public var text: String {
        let values = columns.map { ", \($0.name) \($0.value)" }.joined()
        return "row \(key)\(values): \(reason)" + (origin == .written ? " (written by the application meanwhile)" : "")
    }
}

/// What a search for bad rows has found.
public struct BadRows: Encodable, Sendable, Equatable {
    public var table: String
    /// Rows that were looked at, the bad ones included.
    public var rowsChecked: Int64 = 0
    public var total = 0
    /// Whether the search went to its end; otherwise there are `total` or more.
    public var isComplete = true
    /// The first of them.
    public var rows: [BadRow] = []

    /// How many are named.
    static let named = 20
    /// Whoever has more of them needs no exact number.
    static let limit = 10_000

    init(table: String) { self.table = table }

    /// `3 rows`
    var count: String {
        "\(total)\(isComplete ? "" : " or more") \(total == 1 && isComplete ? "row" : "rows")"
    }

    mutating func add(_ row: BadRow?) {
        total += 1
        if let row, rows.count < Self.named { rows.append(row) }
    }

    private enum CodingKeys: String, CodingKey {
        case table, total, rows
        case rowsChecked = "rows_checked"
        case isComplete = "complete"
    }
}
