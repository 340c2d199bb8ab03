import PgConnection

/// What tells, on the empty clone, whether PostgreSQL's own ALTER TABLE would rewrite or scan the table.
struct PhysicalFacts: Sendable, Equatable {
    var heapFile: UInt32
    /// File by OID of each index.
    var indexFiles: [UInt32: UInt32]
    /// OIDs of the constraints that hold for all rows.
    var validConstraints: Set<UInt32>
    var columns: Set<Int>
    var notNullColumns: Set<Int>
    var generatedColumns: Set<Int>

    static func read(_ oid: UInt32, columns: [ColumnFacts], on connection: isolated PgConnection) throws
        -> PhysicalFacts
    {
        let heap: UInt32 = try connection.query("SELECT pg_relation_filenode($1::oid)", [.int(oid)]).single().value()
        let indexes = try connection.query(
            "SELECT indexrelid, pg_relation_filenode(indexrelid) AS file FROM pg_index WHERE indrelid = $1", [.int(oid)]
        ).rows.map { (try $0.get("indexrelid", as: UInt32.self), try $0.get("file", as: UInt32.self)) }
        let constraints = try connection.query(
            "SELECT oid FROM pg_constraint WHERE conrelid = $1 AND convalidated AND contype <> 'n'", [.int(oid)]
        ).rows.map { try $0.value(as: UInt32.self) }
        return PhysicalFacts(
            heapFile: heap, indexFiles: Dictionary(indexes, uniquingKeysWith: { $1 }),
            validConstraints: Set(constraints),
            columns: Set(columns.map(\.number)),
            notNullColumns: Set(columns.filter(\.isNotNull).map(\.number)),
            generatedColumns: Set(columns.filter(\.isGenerated).map(\.number)))
    }

    /// Why getting from here to `after` is more than a change of catalogs; nil when it is not.
    func reasonForWork(after: PhysicalFacts) -> String? {
        if after.heapFile != heapFile { return "PostgreSQL would rewrite the table under ACCESS EXCLUSIVE" }
        if after.indexFiles.contains(where: { indexFiles[$0.key] != $0.value }) {
            return "PostgreSQL would build indexes under ACCESS EXCLUSIVE"
        }
        if !after.validConstraints.subtracting(validConstraints).isEmpty {
            return "PostgreSQL would check every row against a new constraint under ACCESS EXCLUSIVE"
        }
        if !after.notNullColumns.subtracting(notNullColumns).isDisjoint(with: columns) {
            return "PostgreSQL would check every row for NULL under ACCESS EXCLUSIVE"
        }
        if !after.generatedColumns.subtracting(generatedColumns).isEmpty {
            return "PostgreSQL would compute a generated column for every row under ACCESS EXCLUSIVE"
        }
        return nil
    }
}
