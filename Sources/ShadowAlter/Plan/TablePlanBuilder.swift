import PgConnection

/// Puts the plan of one table together, and takes from the green table what is to be built after the copy.
///
/// All plans are put together before anything is taken away.
struct TablePlanBuilder {
    let tried: TriedTable
    /// What `--reverse` says of it, by the old column's name.
    var reverse: [String: String] = [:]

    private var source: QualifiedName { tried.clone.source }
    private var sourceOID: UInt32 { tried.clone.sourceOID }
    private var green: QualifiedName { tried.clone.green }
    private var greenOID: UInt32 { tried.clone.greenOID }

    func build(on connection: isolated PgConnection) throws -> (TablePlan, warnings: [String]) {
        if !isInTree, let membership = try PartitionMembership.read(sourceOID, on: connection) {
            try PartitionTrial(
                source: source, sourceOID: sourceOID, green: green, greenOID: greenOID, membership: membership
            ).run(on: connection)
        }
        let tracker = tried.tracker
        let finder = KeyFinder(source: source, sourceOID: sourceOID, tracker: tracker)
        let (keyNames, isFull) = try finder.sourceKey(
            IndexReader.read(sourceOID, on: connection), on: connection)
        let key = try finder.key(keyNames, on: connection)
        try finder.checkExpressions(key, greenSchema: green.schema, on: connection)
        let indexes = try GreenIndexes.read(greenOID, green, on: connection)
        let keyIndex = try finder.keyIndex(key, among: indexes.own, asPrefix: tried.isReplaced)
        try checkAddedColumns(on: connection)
        let (sequences, warnings) = try SequenceReader(tried).read(on: connection)
        let sizes = try connection.query(
            """
            SELECT nullif(reltuples, -1)::bigint AS rows, pg_table_size(oid) AS table_bytes, pg_indexes_size(oid) AS index_bytes
            FROM pg_class WHERE oid = $1
            """, [.int(sourceOID)]
        ).single()
        let plan = TablePlan(
            source: source, sourceOID: sourceOID, green: green, columns: tracker.columns,
            mapping: tracker.mapping(table: source.name),
            key: key, publishesWholeRows: isFull || connection.serverVersion.major < 15,
            indexes: try ordered(indexes.built, on: connection).compactMap { table, index in
                index.definition(on: table).map {
                    IndexPlan(
                        name: index.name, definition: $0, tablespace: index.tablespace, isUnique: index.isUnique,
                        cost: index.comparisonCost, isKey: indexes.isPart(index, of: keyIndex))
                }
            },
            afterIndexes: indexes.afterwards,
            sequences: sequences,
            fingerprint: try CatalogFingerprint.digest(of: sourceOID, publication: nil, on: connection),
            estimatedRows: try sizes.optional("rows"), tableBytes: try sizes.get("table_bytes"),
            indexBytes: try sizes.get("index_bytes"), isInTree: isInTree, partitions: indexes.partitions,
            replacesRows: !indexes.partitions.isEmpty || keyIndex.plainColumns?.count != key.count
                || !keyIndex.isUnique,
            uncompared: try DeterminismProbe(
                source: source, sourceOID: sourceOID, green: green, greenOID: greenOID, tracker: tracker
            ).uncompared(on: connection),
            inverse: try InversePlanner(tried: tried, key: key, indexes: indexes.own, reverse: reverse).inverse(
                isPartitioned: !indexes.partitions.isEmpty, on: connection)
        )
        let losses = tried.isReplaced ? try Replacement(tried.clone).losses(on: connection) : []
        if tried.isReplaced { try checkCasts(plan, on: connection) }
        return (plan, warnings + volatileDefaults() + losses)
    }

    /// PostgreSQL tells, without executing anything, whether the old columns' values can be assigned to the new columns.
    private func checkCasts(_ plan: TablePlan, on connection: isolated PgConnection) throws {
        let statement = RefreshSQL(table: plan, spool: green).insert(pages: 0, 0)
        guard let error = try connection.rejection(of: ["EXPLAIN " + statement]) else { return }
        throw Refused([
            Refusal(
                code: "not-assignable", object: source.description,
                what: "the rows of the old table cannot be put into the new one",
                why: "PostgreSQL says: \(error.message)\(error.hint.map { " (\($0))" } ?? "")",
                fix: "give the new column a type to which the old one's values can be assigned, or another name")
        ])
    }

    private var isInTree: Bool { tried.clone.table.depth > 0 }

    func strip(on connection: isolated PgConnection) throws {
        try GreenIndexes.read(greenOID, green, on: connection).strip(on: connection)
    }

    /// Those that take longest to sort first, so that no session works alone at the end. Among equals the source's sizes tell, since the
    /// clone's indexes are empty; new ones come first, for nobody knows.
    private func ordered(
        _ indexes: [(table: QualifiedName, index: IndexFacts)], on connection: isolated PgConnection
    ) throws -> [(table: QualifiedName, index: IndexFacts)] {
        let sizes = try Dictionary(
            IndexReader.read(sourceOID, on: connection).map { ($0.name, $0.bytes) }, uniquingKeysWith: { $1 })
        return indexes.sorted { left, right in
            let (left, right) = (left.index, right.index)
            return (left.comparisonCost, sizes[left.name] ?? .max, right.name) > (
                right.comparisonCost, sizes[right.name] ?? .max, left.name
            )
        }
    }

    /// On the empty clone PostgreSQL accepts a NOT NULL column without a value; on the table with rows it would not.
    private func checkAddedColumns(on connection: isolated PgConnection) throws {
        let impossible = tried.tracker.added.first {
            $0.isNotNull && !$0.hasDefault && !$0.isIdentity && !$0.isGenerated
        }
        guard let column = impossible else { return }
        let hasRows: Bool = try connection.query("SELECT EXISTS (SELECT FROM ONLY \(source.sql))").single()
            .value()
        guard hasRows else { return }
        throw Refused([
            Refusal(
                code: "not-null-without-default", object: "\(source).\(column.name)",
                what: "the added column is NOT NULL and has no default",
                why: "the rows that are there have no value for it",
                fix: "give it a default, or add it without NOT NULL")
        ])
    }

    private func volatileDefaults() -> [String] {
        tried.tracker.added.filter { $0.hasDefault && !$0.isGenerated }.map {
            "added column \($0.name): its default is evaluated when a row is copied or refreshed; a function like now() gives different "
                + "rows different values"
        }
    }
}
