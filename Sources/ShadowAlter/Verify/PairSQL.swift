import PgConnection

/// The statements that compare a stretch of the source's file with that stretch of the shadow's which has its rows: read each once and joined by
/// a hash, which costs less than half of what it costs to look up each row of either side. Pure.
extension VerifySQL {
    private static let place = "shadow_alter_place"
    private static let elsewhere = "shadow_alter_elsewhere"

    /// Counts the source's rows in the pages, with the places of at most `limit` that differ from the shadow, and of at most `limit` rows in the
    /// shadow's pages that the source does not have.
    ///
    /// A row whose counterpart is on no page of these is looked up by an index. Where no index of the source finds a row of the shadow, `strangers`
    /// is NULL.
    ///
    /// - Parameter green: the shadow's own file, and pages of it.
    func compare(pages: Range<Int64>, with green: (table: QualifiedName, pages: Range<Int64>), limit: Int) -> String {
        let keys = table.key.map { Quoting.identifier($0.green) }
        let names = keys + columns.map { Quoting.identifier($0.name) }.filter { !keys.contains($0) }
        let (source, shadow) = ("\(Self.source).shadow_alter_ctid", "\(Self.green).\(Self.place)")
        let isForeign =
            lookup == .direct ? "CASE WHEN \(source) IS NULL THEN \(lacksSourceRow) ELSE false END" : "false"
        return """
            SELECT count(\(source)) AS rows,
                (array_agg(\(source)) FILTER (WHERE CASE WHEN \(source) IS NULL THEN false
                    WHEN \(shadow) IS NULL THEN coalesce(\(differsElsewhere), true) ELSE \(imagesDiffer(Self.green)) END))[1:\(limit)] AS places,
                (array_agg(\(shadow)) FILTER (WHERE \(isForeign)))[1:\(limit)] AS strangers
            FROM \(sourceRows(where: within(pages, refresh.alias))) AS \(Self.source)
            \(lookup == .direct ? "FULL" : "LEFT") JOIN (
                SELECT \(Self.green).ctid AS \(Self.place), \(names.map { "\(Self.green).\($0)" }.joined(separator: ", "))
                FROM ONLY \(green.table.sql) AS \(Self.green) WHERE \(within(green.pages, Self.green))) AS \(Self.green)
            ON \(greenMatches)
            """
    }

    /// Where the shadow has the rows at the places `$1` of the source: pages of the source, and the median of the
    /// pages on which their rows are.
    var locate: String {
        """
        SELECT (\(Self.source).shadow_alter_ctid::text::point)[0]::bigint AS source,
            (percentile_disc(0.5) WITHIN GROUP (ORDER BY (\(Self.green).ctid::text::point)[0]))::bigint AS green
        FROM \(sourceRows(where: "\(refresh.alias).ctid = ANY ($1::tid[])")) AS \(Self.source)
        JOIN \(table.green.sql) AS \(Self.green) ON \(greenMatches)
        GROUP BY 1 ORDER BY 1
        """
    }

    // Both are scalar subqueries, which are evaluated for the rows that need it and by index; of an EXISTS the planner may make a hash of the whole table.

    private var differsElsewhere: String {
        let matches = table.key.enumerated().map { index, key in
            "\(Self.elsewhere).\(Quoting.identifier(key.green)) = \(Self.source).\(RefreshSQL.greenKey(index))"
        }
        return
            "(SELECT \(imagesDiffer(Self.elsewhere)) FROM \(table.green.sql) AS \(Self.elsewhere) WHERE \(matches.joined(separator: " AND ")))"
    }

    private var lacksSourceRow: String {
        let matches = table.key.map {
            "\(Self.elsewhere).\(Quoting.identifier($0.source)) = \(Self.green).\(Quoting.identifier($0.green))"
        }
        return
            "(SELECT true FROM ONLY \(table.source.sql) AS \(Self.elsewhere) WHERE \(matches.joined(separator: " AND "))) IS NULL"
    }
}
