/// The name of a relation together with the schema it is in.
public struct QualifiedName: Hashable, Sendable, Codable, CustomStringConvertible {
    public var schema: String
    public var name: String

    public init(schema: String, name: String) {
        self.schema = schema
        self.name = name
    }

    /// Both parts quoted: ready for a statement.
    public var sql: String { Quoting.identifier(schema) + "." + Quoting.identifier(name) }

    /// Both parts as a person would type them, for messages: `public.orders`.
    public var description: String { "\(schema).\(name)" }
}
