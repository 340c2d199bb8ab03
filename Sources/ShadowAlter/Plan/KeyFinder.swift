import PgConnection

/// Finds the columns that identify a row in the change stream, and what becomes of them.
struct KeyFinder {
    let source: QualifiedName
    let sourceOID: UInt32
    let tracker: ChangeTracker

    /// The source's key columns by name, as the replica identity has them: the stream tells of no others.
    func sourceKey(
        _ indexes: [IndexFacts], on connection: isolated PgConnection
    ) throws -> (columns: [String], isFull: Bool) {
        let identity: String = try connection.query(
            "SELECT relreplident::text FROM pg_class WHERE oid = $1", [.int(sourceOID)]
        ).single().value()
        let usable = indexes.filter { index in
            guard index.isUnique, index.isImmediate, let columns = index.plainColumns else { return false }
            return columns.allSatisfy { name in tracker.original.contains { $0.name == name && $0.isNotNull } }
        }
        let chosen: IndexFacts? =
            switch identity {
            case "d": usable.first { $0.isPrimary }
            case "i": usable.first { $0.isReplicaIdentity }
            case "f": usable.first { $0.isPrimary } ?? usable.first
            default: nil
            }
        guard let columns = chosen?.plainColumns else { throw noKey(identity, usable) }
        return (columns, identity == "f")
    }

    private func noKey(_ identity: String, _ usable: [IndexFacts]) -> Refused {
        let fix =
            usable.first { $0.isPrimary } != nil
            ? "ALTER TABLE \(source.sql) REPLICA IDENTITY DEFAULT"
            : usable.first.map {
                "ALTER TABLE \(source.sql) REPLICA IDENTITY USING INDEX \(Quoting.identifier($0.name))"
            }
                ?? "add a primary key (CREATE UNIQUE INDEX CONCURRENTLY on NOT NULL columns, then ADD PRIMARY KEY USING INDEX)"
        return Refused([
            Refusal(
                code: "no-usable-key", object: source.description,
                what: "its replica identity (\(identity)) names no usable key",
                why:
                    "the change stream could not tell which rows change, and a published table without a key refuses the application's "
                    + "UPDATE and DELETE",
                fix: fix)
        ])
    }

    /// The key on both sides. Throws `Refused` where a green key cannot be computed from the source's key alone.
    func key(_ names: [String], on connection: isolated PgConnection) throws -> [KeyColumn] {
        try names.map { name in
            guard let column = tracker.original.first(where: { $0.name == name }),
                let green = tracker.current(for: column)
            else {
                throw Refused.key(
                    source, "the change drops column \(name), a part of the key",
                    "rows of the old and the new table could not be matched",
                    "keep the column during the migration, or make another unique index the replica identity first")
            }
            guard !green.isGenerated else {
                throw Refused.key(
                    source, "the change makes column \(name), a part of the key, a generated one",
                    "its values would not be those of the key", "keep it an ordinary column")
            }
            return KeyColumn(
                source: name, mapped: tracker.name(of: column), sourceType: column.type, green: green.name,
                greenType: green.type,
                greenCollation: green.collation, expression: tracker.expression(for: column))
        }
    }

    /// Asks PostgreSQL, by a view over the expression, which columns it uses and whether it is volatile.
    func checkExpressions(_ key: [KeyColumn], greenSchema: String, on connection: isolated PgConnection) throws {
        let written = key.filter { column in
            tracker.original.contains { $0.name == column.source && tracker.usings[$0.number] != nil }
        }
        guard !written.isEmpty else { return }
        let mapping = tracker.mapping(table: source.name)
        for column in written {
            let facts = try ExpressionProbe(
                table: source, alias: mapping.alias, names: mapping.sourceNames, schema: greenSchema
            ).facts("CAST(\(column.expression) AS \(column.greenType))", on: connection)
            let foreign = facts.columns.filter { name in !key.contains { $0.source == name } }
            if let name = foreign.first {
                throw Refused.key(
                    source,
                    "the new value of key column \(column.source) is computed from \(name), which is no part of the key",
                    "a deleted row's key is all that the change stream tells; the row in the new table could not be found by it",
                    "compute the key from the key's columns only, or change it in a step of its own")
            }
            if facts.isVolatile {
                throw Refused.key(
                    source, "the new value of key column \(column.source) comes from a volatile function",
                    "the same row would get another key each time that it is copied", "use an immutable expression")
            }
        }
    }

    /// Which of the green table's indexes finds rows by the key.
    ///
    /// - Parameter asPrefix: whether it may go on after the key's columns, as that of a partitioned table often has to.
    func keyIndex(_ key: [KeyColumn], among indexes: [IndexFacts], asPrefix: Bool = false) throws -> IndexFacts {
        let wanted = Set(key.map(\.green))
        let usable = indexes.filter { index in
            guard let columns = index.plainColumns, index.definition(on: source) != nil else { return false }
            if asPrefix { return Set(columns.prefix(wanted.count)) == wanted }
            return index.isUnique && index.isImmediate && Set(columns) == wanted && columns.count == wanted.count
        }
        let exact = usable.filter { $0.isUnique && $0.isImmediate && $0.plainColumns?.count == wanted.count }
        guard let chosen = exact.first(where: { $0.isPrimary }) ?? exact.first ?? usable.first else {
            throw Refused.key(
                source,
                asPrefix
                    ? "the new table has no index that begins with the key (\(key.map(\.green).joined(separator: ", ")))"
                    : "after the change there is no unique index on the key (\(key.map(\.green).joined(separator: ", ")))",
                "rows of the new table could not be found by their key",
                asPrefix
                    ? "let the primary key begin with these columns, or add an index on them"
                    : "keep the primary key, or the unique index, during this migration")
        }
        return chosen
    }
}

extension Refused {
    fileprivate static func key(_ table: QualifiedName, _ what: String, _ why: String, _ fix: String) -> Refused {
        Refused([Refusal(code: "key-not-mappable", object: table.description, what: what, why: why, fix: fix)])
    }
}
