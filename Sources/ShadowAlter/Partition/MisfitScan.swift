import Logging
import PgConnection

/// Looks for rows of an ordinary table that belong into no partition of the new one, before the copy begins: it would fail at the first, and
/// name no other.
struct MisfitScan: Sendable {
    let table: TableRecord
    let connection: PgConnection

    /// So many pages are looked at under one snapshot.
    private static let pagesAtOnce: Int64 = 4096
    private static let named = 20

    /// Throws `badData` when there are such rows. A table without rows, or a tree that takes every row, is not read.
    ///
    /// - Parameter admit: asked before each stretch of pages.
    func run(admit: () async throws -> Void) async throws {
        let greenOID = table.greenOID
        let found = try await connection.run { connection in
            try connection.readingDefinitions { try Self.condition(of: greenOID, on: $0) }
        }
        guard let condition = found else { return }
        let pages = try await connection.pages(of: table.plan.source)
        var total: Int64 = 0
        var examples: [String] = []
        var page: Int64 = 0
        while page < pages {
            try await admit()
            let end = min(page + Self.pagesAtOnce, pages)
            let found = try await look(page..<end, condition, atMost: Self.named - examples.count)
            total += found.total
            examples += found.examples
            page = end
        }
        guard total == 0 else { throw misfits(total, examples) }
    }

    /// What holds for a row that fits; nil when every row does.
    static func condition(of table: UInt32, on connection: isolated PgConnection) throws -> String? {
        let tree = try PartitionTree.read(table, on: connection)
        let constraints = tree.leaves.map(\.constraint)
        guard constraints.allSatisfy({ $0 != nil }) else { return nil }
        return constraints.isEmpty ? "false" : constraints.compactMap { $0 }.map { "(\($0))" }.joined(separator: " OR ")
    }

    private func look(
        _ pages: Range<Int64>, _ condition: String, atMost limit: Int
    ) async throws -> (total: Int64, examples: [String]) {
        try await connection.run { connection in
            let sql = MisfitSQL(table.plan, defaults: try connection.readingDefinitions { try defaults(on: $0) })
            let total: Int64 = try connection.query(sql.count(pages, condition)).single().value()
            guard total > 0, limit > 0 else { return (total, []) }
            let rows = try connection.query(sql.examples(pages, condition, limit: limit))
            return (total, try rows.rows.map { try $0.value(as: String.self) })
        }
    }

    /// The values of columns that the old table does not have.
    private func defaults(on connection: isolated PgConnection) throws -> [MisfitSQL.Column] {
        try connection.query(
            """
            SELECT a.attname, format_type(a.atttypid, a.atttypmod) AS type, pg_get_expr(d.adbin, d.adrelid) AS value
            FROM pg_attribute a LEFT JOIN pg_attrdef d ON d.adrelid = a.attrelid AND d.adnum = a.attnum
            WHERE a.attrelid = $1 AND a.attnum > 0 AND NOT a.attisdropped AND a.attgenerated = '' ORDER BY a.attnum
            """, [.int(table.greenOID)]
        ).rows.map {
            MisfitSQL.Column(
                name: try $0.get("attname"), type: try $0.get("type"), value: try $0.optional("value"))
        }
    }

    private func misfits(_ total: Int64, _ examples: [String]) -> MigrationError {
        let green = table.plan.green
        let list = examples.joined(separator: ", ") + (total > examples.count ? ", …" : "")
        return MigrationError(
            .badData,
            "\(total) \(total == 1 ? "row" : "rows") of \(table.plan.source) would belong into no partition of the new table: \(list)",
            state:
                "nothing has been copied yet; no live table was touched, the application goes on; the new table, empty, and the slot are kept",
            advice:
                "add a partition for them (CREATE TABLE \(green.schema).… PARTITION OF \(green.sql) FOR VALUES …; it moves along at the "
                + "cut-over), or change these rows, and run the same command again; or `shadow-alter abort`")
    }
}

/// The statements of the scan. Pure.
struct MisfitSQL: Sendable {
    struct Column: Sendable {
        var name: String
        var type: String
        /// The default's expression.
        var value: String?
    }

    private let plan: TablePlan
    private let columns: [String]

    init(_ plan: TablePlan, defaults: [Column]) {
        self.plan = plan
        columns = defaults.map { column in
            let mapped = plan.mapping.columns.first { $0.green == column.name }?.expression
            return "CAST(\(mapped ?? column.value ?? "NULL") AS \(column.type)) AS \(Quoting.identifier(column.name))"
        }
    }

    /// The rows of these pages as the new table would have them, with the old table's key beside.
    private func rows(_ pages: Range<Int64>) -> String {
        let alias = Quoting.identifier(plan.mapping.alias)
        let key = plan.key.map { key in
            "\(Quoting.literal("\(key.source) = ")) || \(alias).\(Quoting.identifier(key.mapped))::text"
        }
        return """
            SELECT \(columns.joined(separator: ", ")), concat_ws(' and ', \(key.joined(separator: ", "))) AS shadow_alter_key
            FROM ONLY \(plan.source.sql) AS \(alias) (\(Quoting.identifiers(plan.mapping.sourceNames)))
            WHERE \(alias).ctid >= '(\(pages.lowerBound),0)'::tid AND \(alias).ctid < '(\(pages.upperBound),0)'::tid
            """
    }

    func count(_ pages: Range<Int64>, _ condition: String) -> String {
        "SELECT count(*) FROM (\(rows(pages))) AS shadow_alter_row WHERE (\(condition)) IS NOT TRUE"
    }

    func examples(_ pages: Range<Int64>, _ condition: String, limit: Int) -> String {
        "SELECT shadow_alter_key FROM (\(rows(pages))) AS shadow_alter_row WHERE (\(condition)) IS NOT TRUE LIMIT \(limit)"
    }
}
