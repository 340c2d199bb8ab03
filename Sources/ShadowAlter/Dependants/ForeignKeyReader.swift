import PgConnection

/// Foreign keys from the tables and to them.
///
/// Each is dropped together with the old table's place, and made anew on the new one without a look at the rows, which would take long under
/// the lock: every write is checked from the commit of the cut-over on. The rows that were there before are validated afterwards.
struct ForeignKeyReader: DependantReader {
    func read(_ tables: [MigratedTable], on connection: isolated PgConnection) throws -> [Dependant] {
        let keys = try ForeignKey.read(tables.map(\.sourceOID), on: connection)
        guard !keys.isEmpty else { return [] }
        let refusals = try ForeignKeyRefusals(tables: tables, keys: keys).find(on: connection)
        guard refusals.isEmpty else { throw Refused(refusals) }
        let primaryKeys = try ForeignKey.primaryKeys(tables.map(\.greenOID), on: connection)
        return keys.map { dependant($0, tables, primaryKeys, version: connection.serverVersion.major) }
    }

    private func dependant(
        _ key: ForeignKey, _ tables: [MigratedTable], _ primaryKeys: [UInt32: [String]], version: Int
    ) -> Dependant {
        var new = key.moved(tables) { $0.live }
        // The change may have given the table another one.
        let primaryKey = tables.first { $0.sourceOID == key.referenced.oid }.map { primaryKeys[$0.greenOID] }
        new.isToPrimaryKey = key.isToPrimaryKey && (primaryKey ?? key.referenced.columns) == new.referenced.columns
        var dependant = Dependant(
            kind: .foreignKey, name: key.title, remove: [key.drop()],
            restore: [new.add()] + [new.comment(on: new.referencing.table)].compactMap { $0 })
        if key.isValidated { dependant.settle = [new.validate(new.referencing.table)] }
        let leaves = tables.first { $0.sourceOID == key.referencing.oid }?.leaves.map(\.live) ?? []
        if let partitioned = PartitionedForeignKey(new, leaves: leaves, version: version) {
            dependant.restore = partitioned.add
            dependant.settle = partitioned.settle
        }
        for end in [key.referencing, key.referenced] where !tables.contains(where: { $0.sourceOID == end.oid }) {
            dependant.locks.append(
                RelationLock(oid: end.oid, relation: end.table, kind: .table, withPartitions: end.isPartitioned))
            dependant.relations.append(end.oid)
        }
        return dependant
    }

    func tryOut(_ tables: [MigratedTable], on connection: isolated PgConnection) throws {
        let refusals = try ForeignKey.read(tables.map(\.sourceOID), on: connection).compactMap { key in
            try ForeignKeyTrial(key: key, tables: tables).run(on: connection)
        }
        guard refusals.isEmpty else { throw Refused(refusals) }
    }
}

extension ForeignKey {
    /// The same on the new tables, under the names that `name` gives them. It names its columns: what the new primary key is has to be asked.
    func moved(_ tables: [MigratedTable], name: (MigratedTable) -> QualifiedName) -> ForeignKey {
        var key = self
        func move(_ end: inout End) {
            guard let table = tables.first(where: { $0.sourceOID == end.oid }) else { return }
            end.table = name(table)
            end.columns = end.columns.map { table.greenName(of: $0) ?? $0 }
        }
        if let table = tables.first(where: { $0.sourceOID == referencing.oid }) {
            key.deleteSets = deleteSets.map { table.greenName(of: $0) ?? $0 }
        }
        move(&key.referencing)
        move(&key.referenced)
        key.isToPrimaryKey = false
        return key
    }
}

extension MigratedTable {
    /// What becomes of a column of the source; nil when the change drops it.
    func greenName(of column: String) -> String? {
        columns.first { $0.name == column }?.greenName
    }
}
