import PgConnection

/// Puts the plan of one table together, and takes from the green table what is to be built after the copy.
///
/// All plans are put together before anything is taken away.
struct TablePlanBuilder {
    let tried: TriedTable

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
        let indexes = try ordered(IndexReader.read(greenOID, on: connection), on: connection)
        let keyIndex = try finder.keyIndex(key, among: indexes)
        try checkAddedColumns(on: connection)
        let (sequences, warnings) = try SequenceReader(sourceOID: sourceOID, green: green, tracker: tracker)
            .read(on: connection)
        let late = try ConstraintReader.notValid(of: greenOID, on: connection)
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
            indexes: indexes.compactMap { index in
                index.definition(on: green).map {
                    IndexPlan(
                        name: index.name, definition: $0, tablespace: index.tablespace, isUnique: index.isUnique,
                        cost: index.comparisonCost,
                        isKey: index.name == keyIndex.name)
                }
            },
            afterIndexes: indexes.flatMap { $0.finishing(on: green) } + late.map { $0.add(to: green) },
            sequences: sequences,
            fingerprint: try CatalogFingerprint.digest(of: sourceOID, publication: nil, on: connection),
            estimatedRows: try sizes.optional("rows"), tableBytes: try sizes.get("table_bytes"),
            indexBytes: try sizes.get("index_bytes"), isInTree: isInTree)
        return (plan, warnings + volatileDefaults())
    }

    private var isInTree: Bool { tried.clone.table.depth > 0 }

    func strip(on connection: isolated PgConnection) throws {
        for index in try IndexReader.read(greenOID, on: connection) {
            try connection.execute(index.drop(from: green))
        }
        for constraint in try ConstraintReader.notValid(of: greenOID, on: connection) {
            try connection.execute(constraint.drop(from: green))
        }
    }

    /// Those that take longest to sort first, so that no session works alone at the end. Among equals the source's sizes tell, since the
    /// clone's indexes are empty; new ones come first, for nobody knows.
    private func ordered(_ indexes: [IndexFacts], on connection: isolated PgConnection) throws -> [IndexFacts] {
        let sizes = try Dictionary(
            IndexReader.read(sourceOID, on: connection).map { ($0.name, $0.bytes) }, uniquingKeysWith: { $1 })
        return indexes.sorted { left, right in
            (left.comparisonCost, sizes[left.name] ?? .max, right.name) > (
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
