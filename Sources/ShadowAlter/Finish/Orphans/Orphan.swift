/// Something that a migration has made and that belongs to none any more.
public struct Orphan: Codable, Sendable, Equatable {
    public enum Kind: String, Codable, Sendable {
        /// A recorded migration whose table, or new table, somebody has dropped: nothing can continue it.
        case migration
        case slot
        case publication
        /// A schema for new or old tables, or `shadow_alter` itself.
        case schema
        /// A table in the schema `shadow_alter`.
        case table
    }

    public var kind: Kind
    public var name: String
    /// The migration that it was made for, as far as that can still be known.
    public var migration: String?
    /// Of a slot.
    public var database: String?
    /// What a slot holds back.
    public var retainedWALBytes: Int64?
    /// Why it is not to be removed, and what to do instead; nil: `abort --orphans` removes it.
    public var obstacle: String?

    enum CodingKeys: String, CodingKey {
        case kind, name, migration, database, obstacle
        case retainedWALBytes = "retained_wal_bytes"
    }

    init(_ kind: Kind, _ name: String, migration: String? = nil) {
        self.kind = kind
        self.name = name
        self.migration = migration
    }

    /// As a person would say it.
    public var title: String {
        switch kind {
        case .migration: "the migration \(name)"
        case .slot: "the replication slot \(name)"
        case .publication: "the publication \(name)"
        case .schema: "the schema \(name)"
        case .table: "the table \(name)"
        }
    }
}
