/// A value that several rows have and only one may have.
public struct DuplicateValue: Encodable, Sendable, Equatable {
    /// `code = 'abc'`, with the index's columns or expressions in the new table.
    public var value: String
    public var count: Int
    /// The keys of the first of these rows.
    public var rows: [String]

    /// For people.
    public var text: String {
        "\(value) in \(count) rows (\(rows.joined(separator: "; "))\(count > rows.count ? "; …" : ""))"
    }
}

/// What a search for duplicates has found.
public struct Duplicates: Encodable, Sendable, Equatable {
    public var table: String
    /// The unique index that cannot be built.
    public var index: String
    /// How many values are there more than once.
    public var total = 0
    /// The first of them.
    public var values: [DuplicateValue] = []

    /// For people.
    public var text: String {
        "\(total) \(total == 1 ? "value is" : "values are") there more than once for the unique index \(index): "
            + values.map(\.text).joined(separator: "; ") + (total > values.count ? "; …" : "")
    }
}
