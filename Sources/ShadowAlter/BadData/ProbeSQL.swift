import PgConnection

/// The statements that try a table's rows on a `ProbeTable`, and those that describe a row. Pure.
struct ProbeSQL: Sendable {
    let plan: TablePlan
    private let refresh: RefreshSQL

    init(_ plan: TablePlan) {
        self.plan = plan
        var probed = plan
        probed.green = ProbeTable.rows
        refresh = RefreshSQL(table: probed, spool: ProbeTable.rows)
    }

    private var alias: String { refresh.alias }

    func insert(pages: Range<Int64>) -> String { refresh.insert(pages: pages.lowerBound, pages.upperBound) }

    /// - Parameter places: `ctid`s.
    func insert(places: [String]) -> String {
        "\(refresh.insertMapped)\nFROM \(refresh.mappedSource)\nWHERE \(isAt(places))"
    }

    /// The row's value for one column, by its number in the mapping.
    func insert(column: Int, place: String) -> String {
        let column = plan.mapping.columns[column]
        return """
            INSERT INTO \(ProbeTable.types.sql) (\(Quoting.identifier(column.green))) SELECT \(column.expression)
            FROM \(refresh.mappedSource) WHERE \(isAt([place]))
            """
    }

    /// Where the rows of a page are.
    func places(page: Int64) -> String {
        """
        SELECT ctid::text FROM ONLY \(plan.source.sql)
        WHERE ctid >= '(\(page),0)'::tid AND ctid < '(\(page + 1),0)'::tid ORDER BY ctid
        """
    }

    /// Where the row of a spooled key is.
    func place(of entry: Int64, in spool: QualifiedName) -> String {
        """
        SELECT \(RefreshSQL.source).ctid::text FROM \(spool.sql) AS \(RefreshSQL.keys)
        JOIN ONLY \(plan.source.sql) AS \(RefreshSQL.source) ON \(isSpooled) WHERE \(RefreshSQL.keys).seq = \(entry)
        """
    }

    /// The row's key, the beginnings of the values of these columns of the old table, and whether its key is in the spool.
    ///
    /// - Parameter columns: places in the plan's list of columns.
    func describe(place: String, columns: [Int], spool: QualifiedName?) -> String {
        let source = RefreshSQL.source
        let key = plan.key.map { key in
            "\(Quoting.literal("\(key.source) = ")) || \(ShortValue.sql("\(source).\(Quoting.identifier(key.source))"))"
        }
        let values = columns.map { ShortValue.sql("\(source).\(Quoting.identifier(plan.columns[$0].name))") }
        let written =
            spool.map { "EXISTS (SELECT FROM \($0.sql) AS \(RefreshSQL.keys) WHERE \(isSpooled))" } ?? "false"
        return """
            SELECT concat_ws(' and ', \(key.joined(separator: ", "))) AS key,
                ARRAY[\(values.joined(separator: ", "))]::text[] AS values, \(written) AS written
            FROM ONLY \(plan.source.sql) AS \(source) WHERE \(source).ctid = \(Quoting.literal(place))::tid
            """
    }

    private var isSpooled: String { refresh.sourceMatches }

    private func isAt(_ places: [String]) -> String {
        let list = places.map { "\"\($0)\"" }.joined(separator: ",")
        return "\(alias).ctid = ANY ('{\(list)}'::tid[])"
    }
}
