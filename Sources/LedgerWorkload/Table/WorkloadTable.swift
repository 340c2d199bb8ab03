import PgConnection

/// A column of the key.
public struct KeyColumn: Sendable, Hashable {
    public let name: String
    public let kind: KeyKind
    public let canonical: CanonicalForm

    /// - Parameter canonical: by default `name::text`.
    public init(_ name: String, _ kind: KeyKind, canonical: CanonicalForm? = nil) {
        self.name = name
        self.kind = kind
        self.canonical = canonical ?? CanonicalForm(always: Quoting.identifier(name) + "::text")
    }
}

/// A column that is not part of the key.
public struct PayloadColumn: Sendable, Hashable {
    public let name: String
    public let kind: ColumnKind
    /// Whether the workload may write NULL.
    public let isNullable: Bool
    /// Whether prepared statements may write it. They keep the type that the column had when they were prepared, so not
    /// where the migration changes the type to one without an assignment cast from the old one (text to integer).
    public let isPreparable: Bool
    /// Whether its UNIQUE constraint is DEFERRABLE, so that two rows can swap their values in one statement.
    public let isDeferrable: Bool
    public let canonical: CanonicalForm

    /// - Parameter canonical: by default what suits the kind.
    public init(
        _ name: String, _ kind: ColumnKind, nullable: Bool = true, preparable: Bool = true, deferrable: Bool = false,
        canonical: CanonicalForm? = nil
    ) {
        self.name = name
        self.kind = kind
        isNullable = nullable && kind != .counter && !kind.isFrozen
        isPreparable = preparable
        isDeferrable = deferrable
        self.canonical = canonical ?? CanonicalForm(always: kind.canonicalExpression(Quoting.identifier(name)))
    }
}

/// The table under load, as far as the workload uses it. Columns that are not named here must be nullable or have a
/// default; nothing is known about them afterwards.
public struct WorkloadTable: Sendable {
    public let name: QualifiedName
    public let key: [KeyColumn]
    public let columns: [PayloadColumn]
    /// Whether prepared statements may be used at all: not where the key's type changes to one that the old type cannot be
    /// compared with (text to uuid).
    public let allowsPrepared: Bool

    /// Throws `WorkloadError` for a description that contradicts itself.
    public init(
        _ name: QualifiedName, key: [KeyColumn], columns: [PayloadColumn], allowsPrepared: Bool = true
    ) throws(WorkloadError) {
        self.name = name
        self.key = key
        self.columns = columns
        self.allowsPrepared = allowsPrepared
        try check()
    }

    private func check() throws(WorkloadError) {
        func refuse(_ reason: String) -> WorkloadError {
            WorkloadError("the description of \(name) cannot be used: \(reason). Nothing was started. Correct it.")
        }
        guard !key.isEmpty else { throw refuse("it has no key column") }
        guard key.count == 1 || sequence == nil else { throw refuse("a sequence must be the whole key") }
        guard columns.count(where: { $0.kind == .counter }) <= 1 else { throw refuse("it has more than one counter") }
        guard key.allSatisfy({ $0.canonical.live != nil }) else {
            throw refuse("the key is not read by one expression before and after the migration")
        }
        let names = key.map(\.name) + columns.map(\.name)
        guard Set(names).count == names.count else { throw refuse("a column is named twice") }
        for column in columns {
            if case .enumeration(let labels) = column.kind, labels.isEmpty {
                throw refuse("the enumeration \(column.name) has no label")
            }
            if case .numeric(let scale) = column.kind, !(0...12).contains(scale) {
                throw refuse("the scale of \(column.name) is not within 0 to 12")
            }
        }
    }

    /// The key's column if a sequence makes its values, and whether it may be updated.
    var sequence: (column: String, updatable: Bool)? {
        for column in key {
            if case .sequence(let updatable) = column.kind { return (column.name, updatable) }
        }
        return nil
    }

    /// Where the counter is among `columns`.
    var counter: Int? { columns.firstIndex { $0.kind == .counter } }

    /// The positions of the columns whose kind and properties satisfy the condition.
    func positions(where condition: (PayloadColumn) -> Bool) -> [Int] {
        columns.indices.filter { condition(columns[$0]) }
    }

    /// The positions of the columns that the workload writes.
    var written: [Int] { positions { !$0.kind.isFrozen } }
}
