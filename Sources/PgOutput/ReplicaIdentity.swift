/// Which columns identify a row in the change stream: `pg_class.relreplident`.
public enum ReplicaIdentity: UInt8, Sendable, Hashable, CaseIterable {
    /// The primary key, if there is one.
    case `default` = 0x64  // d
    /// Nothing: UPDATE and DELETE fail while such a table is published with them.
    case nothing = 0x6E  // n
    /// All columns.
    case full = 0x66  // f
    /// The columns of a chosen unique index.
    case index = 0x69  // i

    init(from cursor: inout WireCursor, in bytes: RawSpan) throws(PgOutputError) {
        let start = cursor.offset
        let tag = try cursor.read(.replicaIdentity, as: UInt8.self, in: bytes)
        guard let identity = ReplicaIdentity(rawValue: tag) else {
            throw cursor.error(
                .unexpectedTag(tag, expected: "'d', 'n', 'f' or 'i'"), .replicaIdentity, at: start)
        }
        self = identity
    }
}
