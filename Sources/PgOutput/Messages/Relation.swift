/// The definition of a table, sent before the first change of it in a session and again after each change of it.
public struct Relation: Sendable, Hashable {
    /// The table's OID on the publisher.
    public var relationID: UInt32
    /// The schema, as sent: empty for `pg_catalog`. ``schemaName`` has it in full.
    public var namespace: String
    public var name: String
    public var replicaIdentity: ReplicaIdentity
    /// The published columns in the order of the table: never dropped ones, and generated ones only where the
    /// publication asks for them (PostgreSQL 18+).
    public var columns: [Column]

    public init(
        relationID: UInt32, namespace: String, name: String, replicaIdentity: ReplicaIdentity, columns: [Column]
    ) {
        self.relationID = relationID
        self.namespace = namespace
        self.name = name
        self.replicaIdentity = replicaIdentity
        self.columns = columns
    }

    /// The name of the schema.
    public var schemaName: String { Namespace.expand(namespace) }
}

extension Relation {
    /// A published column.
    public struct Column: Sendable, Hashable {
        /// Whether the column is part of the replica identity: of the primary key or of the chosen index, or any
        /// column at all if the identity is FULL.
        public var isKey: Bool
        public var name: String
        /// The type's OID on the publisher.
        public var typeID: UInt32
        /// `pg_attribute.atttypmod`: -1 if there is none.
        public var typeModifier: Int32

        public init(isKey: Bool, name: String, typeID: UInt32, typeModifier: Int32 = -1) {
            self.isKey = isKey
            self.name = name
            self.typeID = typeID
            self.typeModifier = typeModifier
        }
    }
}

extension Relation: WireMessage {
    init(from cursor: inout WireCursor, in bytes: RawSpan) throws(PgOutputError) {
        relationID = try cursor.read(.relationID, in: bytes)
        namespace = try cursor.readString(.namespace, in: bytes)
        name = try cursor.readString(.relationName, in: bytes)
        replicaIdentity = try ReplicaIdentity(from: &cursor, in: bytes)
        let count = try cursor.readCount(
            .columnCount, as: Int16.self, minimumSize: Column.minimumSize, in: bytes)
        columns = []
        columns.reserveCapacity(count)
        for _ in 0..<count {
            columns.append(try Column(from: &cursor, in: bytes))
        }
    }
}

extension Relation.Column {
    /// `LOGICALREP_IS_REPLICA_IDENTITY` in src/backend/replication/logical/proto.c.
    private static let keyFlag: UInt8 = 1

    /// Bytes of a column with an empty name: flags, terminator, type, modifier.
    fileprivate static let minimumSize = 1 + 1 + 4 + 4

    fileprivate init(from cursor: inout WireCursor, in bytes: RawSpan) throws(PgOutputError) {
        let flags = try cursor.readFlags(.columnFlags, known: Self.keyFlag, in: bytes)
        isKey = flags & Self.keyFlag != 0
        name = try cursor.readString(.columnName, in: bytes)
        typeID = try cursor.read(.columnTypeID, in: bytes)
        typeModifier = try cursor.read(.columnTypeModifier, in: bytes)
    }
}
