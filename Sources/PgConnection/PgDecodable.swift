/// A type that can be made of PostgreSQL's text format.
public protocol PgDecodable {
    /// nil where the text is not one of this type's values.
    init?(pgText: String)
}

extension String: PgDecodable {
    public init?(pgText: String) { self = pgText }
}

extension Bool: PgDecodable {
    public init?(pgText: String) {
        switch pgText {
        case "t", "true": self = true
        case "f", "false": self = false
        default: return nil
        }
    }
}

extension Int: PgDecodable { public init?(pgText: String) { self.init(pgText) } }
extension Int16: PgDecodable { public init?(pgText: String) { self.init(pgText) } }
extension Int32: PgDecodable { public init?(pgText: String) { self.init(pgText) } }
extension Int64: PgDecodable { public init?(pgText: String) { self.init(pgText) } }
extension UInt32: PgDecodable { public init?(pgText: String) { self.init(pgText) } }
extension UInt64: PgDecodable { public init?(pgText: String) { self.init(pgText) } }
extension Double: PgDecodable { public init?(pgText: String) { self.init(pgText) } }

extension Array: PgDecodable where Element: PgDecodable {
    /// A one-dimensional array without NULLs, in the text format of array_out.
    public init?(pgText: String) {
        guard let elements = parseArray(pgText) else { return nil }
        var values: [Element] = []
        for element in elements {
            guard let element, let value = Element(pgText: element) else { return nil }
            values.append(value)
        }
        self = values
    }
}

/// The elements of a one-dimensional array in array_out's format; nil where the text has another form.
private func parseArray(_ text: String) -> [String?]? {
    var scalars = text.unicodeScalars.makeIterator()
    guard scalars.next() == "{" else { return nil }
    var elements: [String?] = []
    var current = ""
    var quoted = false
    var inQuotes = false
    func finished() -> String? { !quoted && current == "NULL" ? nil : current }
    while let scalar = scalars.next() {
        switch scalar {
        case "\\":
            guard let escaped = scalars.next() else { return nil }
            current.unicodeScalars.append(escaped)
        case "\"":
            inQuotes.toggle()
            quoted = true
        case "," where !inQuotes:
            elements.append(finished())
            current = ""
            quoted = false
        case "}" where !inQuotes:
            if !(elements.isEmpty && current.isEmpty && !quoted) { elements.append(finished()) }
            return scalars.next() == nil ? elements : nil
        case "{" where !inQuotes:
            return nil
        default:
            current.unicodeScalars.append(scalar)
        }
    }
    return nil
}
