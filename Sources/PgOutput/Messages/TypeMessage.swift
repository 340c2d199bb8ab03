/// The name of a type that is not built in, sent before the ``Relation`` that uses it.
public struct TypeMessage: Sendable, Hashable {
    /// The type's OID on the publisher. For a domain PostgreSQL sends the domain's OID with the base type's name.
    public var typeID: UInt32
    /// The schema, as sent: empty for `pg_catalog`. ``schemaName`` has it in full.
    public var namespace: String
    public var name: String

    public init(typeID: UInt32, namespace: String, name: String) {
        self.typeID = typeID
        self.namespace = namespace
        self.name = name
    }

    /// The name of the schema.
    public var schemaName: String { Namespace.expand(namespace) }
}

extension TypeMessage: WireMessage {
    init(from cursor: inout WireCursor, in bytes: RawSpan) throws(PgOutputError) {
        typeID = try cursor.read(.typeID, in: bytes)
        namespace = try cursor.readString(.namespace, in: bytes)
        name = try cursor.readString(.typeName, in: bytes)
    }
}
