import PgConnection

/// How whole rows are read back in canonical text.
struct CanonicalReading: Sendable {
    let table: WorkloadTable
    let side: MigrationSide

    /// Of the sessions that read canonical text: whatever the role's or the database's defaults are.
    static let settings = [
        "TimeZone": "UTC", "DateStyle": "ISO, YMD", "extra_float_digits": "1", "bytea_output": "hex",
        "IntervalStyle": "postgres",
    ]

    /// A FROM clause with `row_key` and one column `c0`, `c1`, … for each of the table's columns. OFFSET 0 keeps the planner
    /// from computing the expressions once for each use.
    private var source: String { source(further: "") }

    private func source(further: String) -> String {
        let list = table.columns.indices.map { ", \(table.columns[$0].canonical.expression(side)) AS c\($0)" }
        return "FROM \(table.name.sql) CROSS JOIN LATERAL "
            + "(SELECT \(Self.key(table) { $0.expression(side) }) AS row_key\(list.joined())\(further) OFFSET 0) AS canonical"
    }

    private var columnList: [String] { table.columns.indices.map { "c\($0)" } }

    /// The same bytes as `LogicalRow.digest` takes.
    private var digest: String {
        guard !table.columns.isEmpty else { return "md5('')" }
        let parts = columnList.map { "coalesce(octet_length(\($0))::text || ':' || \($0), 'N') || ','" }
        return "md5(" + parts.joined(separator: " || ") + ")"
    }

    /// Key and digest of every row, in no order.
    var allDigests: String { "SELECT row_key, \(digest) \(source)" }

    /// Key, digest, whether the row is one of about every `stride`-th (by a hash of the key, so that it is the same rows
    /// in every run) and, if so, its columns; ordered by key.
    func initialRows(stride: Int) -> String {
        let chosen =
            stride <= 1
            ? "true"
            : "('x' || left(md5(\(Self.key(table) { $0.expression(side) })), 8))::bit(32)::bigint % \(stride) = 0"
        let values = columnList.map { ", CASE WHEN chosen THEN \($0) END" }
        return "SELECT row_key, \(digest), chosen\(values.joined()) \(source(further: ", \(chosen) AS chosen")) "
            + "ORDER BY row_key COLLATE \"C\""
    }

    /// Key and columns of the rows whose keys are in the array `$1`.
    var rowsWithKeys: String {
        "SELECT \((["row_key"] + columnList).joined(separator: ", ")) \(source) WHERE row_key = ANY ($1::text[])"
    }

    private static func key(_ table: WorkloadTable, _ expression: (CanonicalForm) -> String) -> String {
        table.key.map { "(\(expression($0.canonical)))" }.joined(separator: " || chr(31) || ")
    }

    // While the load runs, nobody knows which definition the table has at the moment.

    static func liveKey(_ table: WorkloadTable) -> String {
        key(table) { $0.before } + " AS row_key"
    }

    /// The columns that can be read at any time.
    static func livePositions(_ table: WorkloadTable) -> [Int] {
        table.positions { $0.canonical.live != nil }
    }

    static func liveList(_ table: WorkloadTable) -> String {
        ([liveKey(table)] + livePositions(table).map { "(\(table.columns[$0].canonical.before))::text" })
            .joined(separator: ", ")
    }
}
