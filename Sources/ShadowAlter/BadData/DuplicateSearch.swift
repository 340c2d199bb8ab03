import PgConnection

/// Looks for values that several rows have and that a unique index of the new table allows once.
///
/// Never under one long snapshot: hashes of the values are put into a temporary table, page range by page range, which is divided by hash, so that each of
/// its parts is grouped quickly. Only what shares its hash is compared itself.
struct DuplicateSearch: Sendable {
    /// Where the values are looked for.
    enum Rows: Sendable {
        /// In the old table, as the mapping would have them.
        case source
        /// In a file of the new table: its own, or a partition's.
        case green(QualifiedName)
    }

    let plan: TablePlan
    let index: IndexPlan
    let rows: Rows
    /// In which `ProbeTable.create` was executed.
    let connection: PgConnection
    let pace: SearchPace

    /// So many rows of the temporary table are grouped at once, roughly.
    private static let rowsInPart: Int64 = 500_000
    private static let mostParts: Int64 = 256
    private static let lockTimeout = "2s"

    func run() async throws -> Duplicates {
        let facts = try await facts()
        let sql = DuplicateSQL(plan: plan, facts: facts, rows: rows)
        let pages = try await connection.pages(of: sql.file)
        let parts = max(1, min(Self.mostParts, (plan.estimatedRows ?? pages * 100) / Self.rowsInPart))
        try await connection.execute(DuplicateSQL.create(parts: parts))
        try await collect(pages, sql)
        var result = Duplicates(table: plan.source.description, index: index.name)
        for part in 0..<parts {
            try await pace.admit()
            let wanted = BadRows.named - result.values.count
            let (total, places) = try await shared(part, atMost: wanted)
            guard total > 0 else { continue }
            // What was found may have changed; and two values may have the same hash.
            let values = places.isEmpty ? [] : try await values(at: places, sql)
            result.values += values.prefix(max(0, wanted))
            result.total += wanted > 0 && total <= wanted ? values.count : total
        }
        try await connection.execute(DuplicateSQL.drop)
        return result
    }

    /// Whether any of the index's columns is not taken over as it is: otherwise the old table's own index has seen to it.
    func isConcerned(oldIndexes: [IndexFacts]) async throws -> Bool {
        guard let tail = index.definition.components(afterFirst: " ON \(plan.green.sql) "),
            oldIndexes.contains(where: { $0.isUnique && $0.isImmediate && $0.tail == tail })
        else { return true }
        let changed = Set(
            plan.mapping.columns.filter { column in
                guard let old = plan.columns.first(where: { $0.greenName == column.green }) else { return true }
                let isSame = !old.hasNewType || old.isWiderInteger
                return !isSame || column.expression != Quoting.identifier(old.name)
            }.map(\.green))
        return try await facts().columns.contains { changed.contains($0) }
    }

    private func collect(_ pages: Int64, _ sql: DuplicateSQL) async throws {
        var queue = ChunkQueue(pages: pages)
        var size = ChunkSize(maximum: pace.largestStep)
        while let range = queue.next(size.pages) {
            try await pace.admit()
            let start = ContinuousClock.now
            try await patiently { connection in
                try connection.execute("SET LOCAL lock_timeout = '\(Self.lockTimeout)'")
                try connection.execute(sql.collect(range))
            }
            let took = ContinuousClock.now - start
            size.adapt(took: took, for: Int64(range.count), target: pace.step, maximum: pace.largestStep)
            pace.progress(Double(range.upperBound) / Double(max(1, pages)), 0)
            if pace.niceRatio > 0 { try await Task.sleep(for: took * pace.niceRatio) }
        }
    }

    private func patiently(_ body: @Sendable (isolated PgConnection) throws -> Void) async throws {
        while true {
            try Task.checkCancellation()
            do {
                return try await connection.transaction { try body($0) }
            } catch let error as PgError where error.sqlState == .lockNotAvailable {
                continue
            }
        }
    }

    /// How many hashes several rows share, and where the rows of the first of them are.
    private func shared(_ part: Int64, atMost limit: Int) async throws -> (Int, [String]) {
        try await connection.run { connection in
            let total: Int = try connection.query(DuplicateSQL.count(part: part)).single().value()
            guard total > 0, limit > 0 else { return (total, []) }
            let places = try connection.query(DuplicateSQL.places(part: part, limit: limit)).rows
            return (total, try places.flatMap { try $0.value(as: [String].self) })
        }
    }

    private func values(at places: [String], _ sql: DuplicateSQL) async throws -> [DuplicateValue] {
        try await connection.run { connection in
            try connection.query(sql.values, [.array(places)]).rows.map { row in
                DuplicateValue(value: try row.get("value"), count: try row.get("count"), rows: try row.get("rows"))
            }
        }
    }

    /// PostgreSQL reads the index's definition: it is made on the empty probe table, and taken back.
    private func facts() async throws -> DuplicateSQL.Facts {
        let table = ProbeTable.rows.sql
        let definition = [plan.green] + plan.partitions
        let statement = definition.reduce(index.definition) {
            $0.replacing(" ON \($1.sql) ", with: " ON \(table) ", maxReplacements: 1)
        }
        return try await connection.rolledBackTransaction { [index] connection in
            try connection.execute(statement)
            return try connection.readingDefinitions { connection in
                let row = try connection.query(
                    """
                    SELECT ARRAY(SELECT pg_get_indexdef(i.indexrelid, k, false) FROM generate_series(1, i.indnkeyatts) k) AS keys,
                        pg_get_expr(i.indpred, i.indrelid) AS predicate,
                        coalesce((to_jsonb(i) ->> 'indnullsnotdistinct')::boolean, false) AS nulls,
                        ARRAY(SELECT DISTINCT a.attname::text FROM pg_depend d
                              JOIN pg_attribute a ON a.attrelid = d.refobjid AND a.attnum = d.refobjsubid
                              WHERE d.classid = 'pg_class'::regclass AND d.objid = i.indexrelid AND d.refobjid = i.indrelid
                                  AND d.refobjsubid > 0) AS columns
                    FROM pg_index i JOIN pg_class c ON c.oid = i.indexrelid WHERE i.indrelid = $1::text::regclass AND c.relname = $2
                    """, [.text(table), .text(index.name)]
                ).single()
                return DuplicateSQL.Facts(
                    keys: try row.get("keys"), predicate: try row.optional("predicate"),
                    nullsAreEqual: try row.get("nulls"), columns: try row.get("columns"),
                    types: try ColumnFacts.read(Self.oid(of: table, on: connection), on: connection),
                    defaults: try ColumnDefault.read(Self.oid(of: table, on: connection), on: connection))
            }
        }
    }

    private static func oid(of table: String, on connection: isolated PgConnection) throws -> UInt32 {
        try connection.query("SELECT $1::text::regclass::oid", [.text(table)]).single().value()
    }
}

extension ColumnPlan {
    private static let integers = ["smallint", "integer", "bigint"]

    /// Whether different values stay different because the type is an integer before and after.
    fileprivate var isWiderInteger: Bool {
        Self.integers.contains(type) && greenType.map { Self.integers.contains($0) } ?? false
    }
}

extension String {
    /// What stands behind the first occurrence; nil when there is none.
    fileprivate func components(afterFirst separator: String) -> String? {
        firstRange(of: separator).map { String(self[$0.upperBound...]) }
    }
}
