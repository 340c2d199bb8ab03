import PgConnection

/// One table of a migration: where its rows come from, and what is built around them afterwards.
public struct TablePlan: Codable, Sendable, Equatable {
    public var source: QualifiedName
    public var sourceOID: UInt32
    /// The shadow under its final name in the green schema.
    public var green: QualifiedName
    /// What becomes of the source's columns, in their order.
    public var columns: [ColumnPlan]
    public var mapping: RowMapping
    public var key: [KeyColumn]
    /// Whether the publication lists all columns: `REPLICA IDENTITY FULL` allows no column list, PostgreSQL 14 has none.
    public var publishesWholeRows: Bool
    /// Built after the copy, the costliest first. Exactly one of them is the key's.
    public var indexes: [IndexPlan]
    /// `ALTER TABLE` statements that need the indexes or build their own (`ADD CONSTRAINT … USING INDEX`, EXCLUDE, `CLUSTER ON`,
    /// `REPLICA IDENTITY USING INDEX`, extended statistics, comments on indexes and constraints), in this order.
    public var afterIndexes: [String]
    public var sequences: [SequencePlan]
    /// The digest of the source's catalog entries, compared again under the cut-over's lock.
    public var fingerprint: String
    /// `pg_class.reltuples`, or nil when PostgreSQL does not know (never analysed).
    public var estimatedRows: Int64?
    /// Heap and TOAST, in bytes.
    public var tableBytes: Int64
    /// All indexes, in bytes.
    public var indexBytes: Int64
    /// Whether it is exchanged together with the partitioned table above it.
    public var isInTree = false
    /// The partitions of a green table that is partitioned, as far as the plan knows them: everything below it. Empty for one that is not.
    public var partitions: [QualifiedName] = []
    /// Whether refresh takes rows away and puts them back, because no unique index is on the key alone, or the rows may be in partitions.
    public var replacesRows = false
    /// The new table's columns that the verification leaves out.
    public var uncompared: [UncomparedColumn] = []
    /// How the old table can follow the new one after the exchange.
    public var inverse = InverseMapping.notPlanned
    /// How the table that is live is shown in its other shape, for those who want that.
    public var compat: [CompatShape] = []

    /// Whether an ordinary table becomes a partitioned one.
    public var isPartitioned: Bool { !partitions.isEmpty }
}

extension MigrationPlan {
    /// The columns that the verification leaves out, with their tables' names.
    var uncompared: [String] {
        tables.flatMap { table in table.uncompared.map { "\(table.source).\($0.name)" } }
    }
}

/// What becomes of one of the source's columns.
public struct ColumnPlan: Codable, Sendable, Equatable {
    /// `pg_attribute.attnum` in the clone, which has no gaps where the source has dropped columns; and the name in the source.
    public var number: Int
    public var name: String
    /// The name after the change; nil when the change drops the column.
    public var greenName: String?
    /// Whether type, modifier or collation are others after the change.
    public var hasNewType: Bool
    /// As `format_type` prints it, in the source and after the change.
    public var type = ""
    public var greenType: String?
}

/// A column of the key, on both sides.
public struct KeyColumn: Codable, Sendable, Equatable {
    /// The source column's name as it is in the catalog and in the change stream.
    public var source: String
    /// The same column's name in `RowMapping.sourceNames`; another one only when a rename comes before a USING.
    public var mapped: String
    /// The source column's type as `format_type` prints it.
    public var sourceType: String
    public var green: String
    public var greenType: String
    /// The green column's collation as a quoted name; nil for types without collation.
    public var greenCollation: String?
    /// The green value, computed from the source's key columns under the mapping's names alone.
    public var expression: String
}

/// An index that is built after the copy.
public struct IndexPlan: Codable, Sendable, Equatable {
    public var name: String
    /// The complete `CREATE INDEX` statement, on the green table.
    public var definition: String
    /// The tablespace that it is built in; empty for the database's.
    public var tablespace: String
    public var isUnique: Bool
    /// What building it takes, roughly, in no unit: for sharing the work among sessions.
    public var cost: Int
    /// Whether `refresh` finds green rows by it.
    public var isKey: Bool
}

/// A sequence that the table's columns own.
public enum SequencePlan: Codable, Sendable, Equatable {
    /// `serial`: the same sequence serves the old and the new table; its ownership moves at cut-over.
    case serial(sequence: QualifiedName, greenColumn: String?)
    /// `GENERATED … AS IDENTITY`: the green table has its own under the same name, which takes over the position at cut-over.
    case identity(source: QualifiedName, green: QualifiedName)
}
