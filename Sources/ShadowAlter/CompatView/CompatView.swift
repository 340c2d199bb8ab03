/// A shape of the table that applications find in a schema of its own, beside the live one.
public enum CompatView: String, Codable, Sendable, CaseIterable {
    /// That of before the change, made of the new table's rows from the exchange on.
    case old
    /// That of after the change, made of the old table's rows until the exchange.
    case new

    /// Where the views are. In `<name>_blue` and `<name>_green` there are tables of the same names.
    func schema(of migration: String) -> String { "\(migration)_\(rawValue)" }

    /// Whether the views stand before the exchange, and go with it; otherwise it makes them.
    var isBeforeExchange: Bool { self == .new }
}

extension KeyedDecodingContainer {
    /// A request that was recorded before there was `--compat-view` has none.
    func decode(_ type: [CompatView].Type, forKey key: Key) throws -> [CompatView] {
        try decodeIfPresent(type, forKey: key) ?? []
    }
}
