/// A statement's parameter, sent as text; PostgreSQL infers its type from the statement.
public struct PgParameter: Sendable, Hashable {
    /// The value in PostgreSQL's text format; nil is NULL.
    public let text: String?

    public init(text: String?) {
        self.text = text
    }

    public static let null = Self(text: nil)
    public static func text(_ value: String?) -> Self { Self(text: value) }
    public static func int(_ value: (some FixedWidthInteger)?) -> Self { Self(text: value.map { String($0) }) }
    public static func double(_ value: Double?) -> Self { Self(text: value.map { String($0) }) }
    public static func bool(_ value: Bool) -> Self { Self(text: value ? "t" : "f") }

    /// An array of any type whose elements are given in text format.
    public static func array(_ values: some Sequence<String>) -> Self {
        let elements = values.map { value in
            var element = "\""
            for character in value.unicodeScalars {
                if character == "\"" || character == "\\" { element.append("\\") }
                element.unicodeScalars.append(character)
            }
            return element + "\""
        }
        return Self(text: "{" + elements.joined(separator: ",") + "}")
    }
}

extension PgParameter: ExpressibleByStringLiteral, ExpressibleByIntegerLiteral, ExpressibleByNilLiteral {
    public init(stringLiteral value: String) { self.init(text: value) }
    public init(integerLiteral value: Int) { self.init(text: String(value)) }
    public init(nilLiteral: ()) { self.init(text: nil) }
}
