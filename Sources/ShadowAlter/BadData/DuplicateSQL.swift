import PgConnection

/// The statements of a `DuplicateSearch`. Pure.
struct DuplicateSQL: Sendable {
    /// What PostgreSQL knows of the unique index, and of the new table's columns.
    struct Facts: Sendable {
        /// Columns and expressions, ready for a statement.
        var keys: [String]
        var predicate: String?
        var nullsAreEqual: Bool
        /// All columns that it uses.
        var columns: [String]
        var types: [ColumnFacts]
        var defaults: [String: String]
    }

    let plan: TablePlan
    let facts: Facts
    let rows: DuplicateSearch.Rows

    private static let hashes = QualifiedName(schema: "pg_temp", name: "shadow_alter_hashes")
    private static let row = "shadow_alter_row"
    private static let place = "shadow_alter_place"
    private static let key = "shadow_alter_key"
    /// Of the rows that share a value.
    private static let namedRows = 5
    /// Of the rows that share a hash, so many are compared.
    private static let comparedRows = 1000

    /// In place of one that a search before this has left.
    static func create(parts: Int64) -> String {
        let partitions = (0..<parts).map {
            """
            CREATE TEMPORARY TABLE \(hashes.name)_\($0) PARTITION OF \(hashes.sql)
                FOR VALUES WITH (MODULUS \(parts), REMAINDER \($0))
            """
        }
        return """
            \(drop);
            CREATE TEMPORARY TABLE \(hashes.name) (place tid, hash bigint) PARTITION BY HASH (hash);
            \(partitions.joined(separator: ";\n"))
            """
    }

    static let drop = "DROP TABLE IF EXISTS \(hashes.sql)"

    /// The file that the pages are of.
    var file: QualifiedName {
        switch rows {
        case .source: plan.source
        case .green(let file): file
        }
    }

    func collect(_ pages: Range<Int64>) -> String {
        var conditions = facts.predicate.map { ["(\($0))"] } ?? []
        if !facts.nullsAreEqual { conditions += facts.keys.map { "(\($0)) IS NOT NULL" } }
        let condition = conditions.isEmpty ? "true" : conditions.joined(separator: " AND ")
        return """
            INSERT INTO \(Self.hashes.sql)
            SELECT \(Self.place), pg_catalog.hash_record_extended(ROW(\(facts.keys.joined(separator: ", "))), 0)
            FROM \(all { "\($0).ctid >= '(\(pages.lowerBound),0)'::tid AND \($0).ctid < '(\(pages.upperBound),0)'::tid" })
            WHERE \(condition)
            """
    }

    static func count(part: Int64) -> String {
        "SELECT count(*) FROM (SELECT FROM pg_temp.\(hashes.name)_\(part) GROUP BY hash HAVING count(*) > 1) AS shared"
    }

    static func places(part: Int64, limit: Int) -> String {
        """
        SELECT (array_agg(place::text ORDER BY place))[1:\(comparedRows)] FROM pg_temp.\(hashes.name)_\(part)
        GROUP BY hash HAVING count(*) > 1 ORDER BY min(place) LIMIT \(limit)
        """
    }

    /// The values that rows at the places `$1` share.
    var values: String {
        let parts = facts.keys.map { "\(Quoting.literal("\($0) = ")) || \(ShortValue.sql($0))" }
        return """
            SELECT concat_ws(', ', \(parts.joined(separator: ", "))) AS value, count(*) AS count,
                (array_agg(\(Self.key) ORDER BY \(Self.place)))[1:\(Self.namedRows)] AS rows
            FROM \(all { "\($0).ctid = ANY ($1::tid[])" })
            GROUP BY \(facts.keys.joined(separator: ", ")) HAVING count(*) > 1 ORDER BY min(\(Self.place))
            """
    }

    /// Rows with the new table's columns, their place, and their key for people.
    private func all(where condition: (String) -> String) -> String {
        switch rows {
        case .green(let file):
            let green = "shadow_alter_green"
            let key = plan.key.map { Self.named($0.green, in: green, as: $0.green) }
            return """
                (SELECT \(green).*, \(green).ctid AS \(Self.place), \(Self.joined(key)) AS \(Self.key)
                 FROM ONLY \(file.sql) AS \(green) WHERE \(condition(green))) AS \(Self.row)
                """
        case .source:
            let alias = Quoting.identifier(plan.mapping.alias)
            let key = plan.key.map { Self.named($0.mapped, in: alias, as: $0.source) }
            let columns = facts.types.filter { !$0.isGenerated }.map { column in
                let mapped = plan.mapping.columns.first { $0.green == column.name }?.expression
                let value = mapped ?? facts.defaults[column.name] ?? "NULL"
                return "CAST(\(value) AS \(column.type)) AS \(Quoting.identifier(column.name))"
            }
            return """
                (SELECT \(columns.joined(separator: ", ")), \(alias).ctid AS \(Self.place), \(Self.joined(key)) AS \(Self.key)
                 FROM \(RefreshSQL(table: plan, spool: plan.source).mappedSource) WHERE \(condition(alias))) AS \(Self.row)
                """
        }
    }

    private static func named(_ column: String, in alias: String, as name: String) -> String {
        "\(Quoting.literal("\(name) = ")) || \(ShortValue.sql("\(alias).\(Quoting.identifier(column))"))"
    }

    private static func joined(_ parts: [String]) -> String { "concat_ws(' and ', \(parts.joined(separator: ", ")))" }
}
