import PgConnection

/// The statements that compare a table with its shadow, row by row through the mapping, inside the server. Pure.
///
/// A row that differs, or has no counterpart, becomes a *suspect*: its key on the green side, and which row version was seen. What a suspect is
/// found by is one snapshot; whether it is a mismatch is for `recheck` to say.
struct VerifySQL: Sendable {
    /// A column that is compared.
    struct Column: Sendable, Equatable {
        var name: String
        var type: String
        /// Its value, over the source under the mapping's names.
        var expression: String
    }

    /// How the source row of a green row is found.
    enum Lookup: Sendable, Equatable {
        /// By the source's own index: the keys can be compared as they are.
        case direct
        /// By computing the green key of every source row.
        case computed
    }

    let refresh: RefreshSQL
    let suspects: QualifiedName
    let columns: [Column]
    let lookup: Lookup
    let tableID: Int64
    /// Of a way back: the keys of rows that the old table cannot have, which may differ for as long as they do.
    var parked: QualifiedName?

    var table: TablePlan { refresh.table }

    // Aliases and names that no name in a user's expression can mean.
    static let source = "shadow_alter_s"
    static let green = "shadow_alter_green"
    private static let suspect = "shadow_alter_suspect"

    // MARK: The suspects' table

    /// Made from the green table by a query, so that types, domains and collations are its own.
    ///
    /// Unlogged: it is worth nothing after a crash, and nobody can publish it.
    static func create(_ suspects: QualifiedName, for table: TablePlan) -> String {
        let keys = table.key.enumerated().map { "\(Quoting.identifier($1.green)) AS \(RefreshSQL.greenKey($0))" }
        return """
            CREATE UNLOGGED TABLE \(suspects.sql) AS SELECT 0::bigint AS seq, \(keys.joined(separator: ", ")),
                '(0,0)'::tid AS source_ctid, '0'::xid AS source_xmin, 0::oid AS green_table, '(0,0)'::tid AS green_ctid, '0'::xid AS green_xmin
            FROM \(table.green.sql) WITH NO DATA
            """
    }

    var clear: String { "DELETE FROM \(suspects.sql)" }

    /// `$1`: their numbers.
    var remove: String { "DELETE FROM \(suspects.sql) WHERE seq = ANY ($1::bigint[])" }

    var all: String { "SELECT seq FROM \(suspects.sql) ORDER BY seq" }

    // MARK: Finding

    /// Counts the source's rows in the pages, with the places of at most `limit` that differ from the shadow.
    func compare(pages: Range<Int64>, limit: Int) -> String {
        """
        SELECT count(*) AS rows, (array_agg(\(Self.source).shadow_alter_ctid) FILTER (WHERE \(differs)))[1:\(limit)] AS places
        FROM \(sourceRows(where: within(pages, refresh.alias))) AS \(Self.source)
        LEFT JOIN \(table.green.sql) AS \(Self.green) ON \(greenMatches)
        """
    }

    /// Notes those of the rows at these places that differ. `$1`: the number before the first; `$2`: the places.
    var noteDifferent: String {
        """
        INSERT INTO \(suspects.sql) (seq, \(greenKeys.joined(separator: ", ")), source_ctid, source_xmin)
        SELECT $1::bigint + row_number() OVER (), \(qualified(Self.source)), \(Self.source).shadow_alter_ctid, \(Self.source).shadow_alter_xmin
        FROM \(sourceRows(where: "\(refresh.alias).ctid = ANY ($2::tid[])")) AS \(Self.source)
        LEFT JOIN \(table.green.sql) AS \(Self.green) ON \(greenMatches)
        WHERE \(differs)
        """
    }

    /// Notes at most `limit` rows of the shadow that the source does not have. `$1`: the number before the first.
    ///
    /// - Parameter part: the shadow's own file or that of one of its partitions, and pages of it; nil: all of the shadow.
    func noteForeign(in part: (table: QualifiedName, pages: Range<Int64>)?, limit: Int) -> String {
        let pages = part.map { within($0.pages, Self.green) + " AND " } ?? ""
        return noteForeign(from: part.map { "ONLY \($0.table.sql)" } ?? table.green.sql, where: pages, limit: limit)
    }

    /// Notes those of the rows at these places of the shadow's own file that the source does not have. `$1`: the number before the first; `$2`: the places.
    var noteForeignAtPlaces: String {
        noteForeign(from: "ONLY \(table.green.sql)", where: "\(Self.green).ctid = ANY ($2::tid[]) AND ", limit: nil)
    }

    private func noteForeign(from: String, where condition: String, limit: Int?) -> String {
        let keys = table.key.map { "\(Self.green).\(Quoting.identifier($0.green))" }
        return """
            INSERT INTO \(suspects.sql) (seq, \(greenKeys.joined(separator: ", ")), green_table, green_ctid, green_xmin)
            SELECT $1::bigint + row_number() OVER (), \(keys.joined(separator: ", ")),
                \(Self.green).tableoid, \(Self.green).ctid, \(Self.green).xmin
            FROM \(from) AS \(Self.green)
            WHERE \(condition)NOT \(isInSource(keys)) LIMIT \(limit.map(String.init) ?? "ALL")
            """
    }

    // MARK: Judging

    enum Verdict: String, Sendable {
        /// The row was written after it was seen, or is equal now: the stream covers it.
        case settled
        /// Its key is in the spool.
        case waiting
        case mismatch
    }

    /// What the suspects with the numbers `$1` are now, in one snapshot: one statement for rows of the source, one for rows that only the shadow
    /// has. To be asked after a watermark that was sent after they were noted, and a refresh of what was spooled by then.
    var judge: [String] { [judgeDifferent, judgeForeign] }

    /// The same version of the source's row as when it was noted: whoever has written it has been spooled since. If it is not in the spool any more
    /// then refresh has read this very version, and the shadow has to be equal.
    private var judgeDifferent: String {
        """
        SELECT \(Self.suspect).seq, CASE
            WHEN \(Self.source).shadow_alter_xmin IS NULL OR \(Self.source).shadow_alter_xmin <> \(Self.suspect).source_xmin THEN 'settled'
            WHEN \(isTruncated) OR \(isSpooled) THEN 'waiting'
            WHEN \(differs) THEN 'mismatch' ELSE 'settled' END AS verdict
        FROM \(suspects.sql) AS \(Self.suspect)
        LEFT JOIN \(sourceRows(where: nil)) AS \(Self.source)
            ON \(Self.source).shadow_alter_ctid = \(Self.suspect).source_ctid AND \(sameKey(Self.source))
        LEFT JOIN \(table.green.sql) AS \(Self.green) ON \(greenMatches)
        WHERE \(Self.suspect).source_ctid IS NOT NULL AND \(Self.suspect).seq = ANY ($1::bigint[])
        """
    }

    /// The same version of the shadow's row as when the source was seen not to have it: no refresh has been there since, although the deletion
    /// has been spooled.
    private var judgeForeign: String {
        let keys = greenKeys.map { "\(Self.suspect).\($0)" }
        return """
            SELECT \(Self.suspect).seq, CASE
                WHEN \(Self.green).xmin IS NULL OR \(Self.green).xmin <> \(Self.suspect).green_xmin OR \(isInSource(keys)) THEN 'settled'
                WHEN \(isTruncated) OR \(isSpooled) THEN 'waiting' ELSE 'mismatch' END AS verdict
            FROM \(suspects.sql) AS \(Self.suspect)
            LEFT JOIN \(table.green.sql) AS \(Self.green) ON \(greenMatches(Self.suspect))
                AND \(Self.green).tableoid = \(Self.suspect).green_table AND \(Self.green).ctid = \(Self.suspect).green_ctid
            WHERE \(Self.suspect).source_ctid IS NULL AND \(Self.suspect).seq = ANY ($1::bigint[])
            """
    }

    /// For people: the key of each of the suspects `$1` and what is wrong, with the beginnings of the values on both sides.
    func describe(limit: Int) -> String {
        let key = table.key.enumerated().map { index, key in
            "\(Quoting.literal("\(key.green) = ")) || \(ShortValue.sql("\(Self.suspect).\(RefreshSQL.greenKey(index))"))"
        }
        let differences = columns.enumerated().map { index, column in
            let (new, old) = (
                "\(Self.green).\(Quoting.identifier(column.name))", "\(Self.source).\(Self.value(index))"
            )
            return """
                CASE WHEN pg_catalog.record_image_ne(ROW(\(new)), ROW(\(old)))
                    THEN \(Quoting.literal("\(column.name) is ")) || \(ShortValue.sql(new)) || ' instead of ' || \(ShortValue.sql(old)) END
                """
        }
        return """
            SELECT concat_ws(' and ', \(key.joined(separator: ", "))) AS key, CASE
                WHEN \(Self.suspect).source_ctid IS NULL THEN 'is not in the old table'
                WHEN \(Self.green).tableoid IS NULL THEN 'is missing'
                ELSE array_to_string(ARRAY[\(differences.joined(separator: ", "))]::text[], ', ') END AS what
            FROM \(suspects.sql) AS \(Self.suspect)
            LEFT JOIN \(sourceRows(where: nil)) AS \(Self.source)
                ON \(Self.source).shadow_alter_ctid = \(Self.suspect).source_ctid AND \(sameKey(Self.source))
            LEFT JOIN \(table.green.sql) AS \(Self.green) ON \(greenMatches)
            WHERE \(Self.suspect).seq = ANY ($1::bigint[]) ORDER BY \(Self.suspect).seq LIMIT \(limit)
            """
    }

    // MARK: Repairing

    /// Takes the rows of the suspects `$1` from the shadow, and puts those that the source has there again.
    ///
    /// One that was written since it was judged is left to the refresh, which may have been there already.
    var repair: [String] {
        guard let kept = refresh.kept else { return [takeAway, "\(refresh.insertMapped)\n\(sameRows)"] }
        return [kept.takeAway(takeAway, from: Self.green)] + kept.putBack(refresh, rows: sameRows, .fail)
            + [
                // What was written meanwhile comes back with the refresh, and is to find what it keeps.
                """
                \(kept.forget(suspects.sql, as: Self.suspect)) AND \(Self.suspect).seq = ANY ($1::bigint[])
                    AND (\(Self.suspect).source_ctid IS NULL
                        OR EXISTS (SELECT FROM \(table.green.sql) AS \(Self.green) WHERE \(greenMatches(Self.suspect))))
                """
            ]
    }

    private var takeAway: String {
        """
        DELETE FROM \(table.green.sql) AS \(Self.green) USING \(suspects.sql) AS \(Self.suspect)
        WHERE \(greenMatches(Self.suspect)) AND \(Self.suspect).seq = ANY ($1::bigint[])
            AND (\(isStillInSource) OR \(Self.green).tableoid = \(Self.suspect).green_table
                AND \(Self.green).ctid = \(Self.suspect).green_ctid AND \(Self.green).xmin = \(Self.suspect).green_xmin)
        """
    }

    /// Whether the source's row version that was judged is still the row. Where it is not, the refresh has replaced the shadow's row since, or will: what is
    /// taken away after that would be lost.
    private var isStillInSource: String {
        """
        EXISTS (SELECT FROM \(refresh.mappedSource) WHERE \(refresh.alias).ctid = \(Self.suspect).source_ctid
            AND \(refresh.alias).xmin = \(Self.suspect).source_xmin AND \(expressionsMatch))
        """
    }

    /// The source's row versions that were judged.
    private var sameRows: String {
        """
        FROM (SELECT DISTINCT \(greenKeys.joined(separator: ", ")), source_ctid AS shadow_alter_ctid, source_xmin::text::xid8 AS shadow_alter_xmin
              FROM \(suspects.sql) WHERE source_ctid IS NOT NULL AND seq = ANY ($1::bigint[])) AS \(Self.suspect)
        JOIN \(refresh.mappedSource) ON \(refresh.alias).ctid = \(Self.suspect).shadow_alter_ctid
            AND \(refresh.alias).xmin::text::xid8 = \(Self.suspect).shadow_alter_xmin AND \(expressionsMatch)
        """
    }

    /// Rows that only the shadow has and that have come back after they were taken away: which version they are now.
    var renew: String {
        """
        UPDATE \(suspects.sql) AS \(Self.suspect)
        SET green_table = \(Self.green).tableoid, green_ctid = \(Self.green).ctid, green_xmin = \(Self.green).xmin
        FROM \(table.green.sql) AS \(Self.green)
        WHERE \(greenMatches(Self.suspect)) AND \(Self.suspect).source_ctid IS NULL AND \(Self.suspect).seq = ANY ($1::bigint[])
        """
    }

    // MARK: Parts

    private var greenKeys: [String] { table.key.indices.map { RefreshSQL.greenKey($0) } }

    private static func value(_ index: Int) -> String { "shadow_alter_v\(index + 1)" }

    private func qualified(_ alias: String) -> String {
        greenKeys.map { "\(alias).\($0)" }.joined(separator: ", ")
    }

    /// Source rows as the shadow should have them. A scope of its own: the expressions know the source's columns only.
    func sourceRows(where condition: String?) -> String {
        let keys = table.key.enumerated().map { "\($1.castExpression) AS \(RefreshSQL.greenKey($0))" }
        let values = columns.enumerated().map { "CAST(\($1.expression) AS \($1.type)) AS \(Self.value($0))" }
        let place = ["\(refresh.alias).ctid AS shadow_alter_ctid", "\(refresh.alias).xmin AS shadow_alter_xmin"]
        return "(SELECT \((place + keys + values).joined(separator: ", ")) FROM \(refresh.mappedSource)"
            + (condition.map { " WHERE \($0)" } ?? "") + ")"
    }

    func within(_ pages: Range<Int64>, _ alias: String) -> String {
        "\(alias).ctid >= '(\(pages.lowerBound),0)'::tid AND \(alias).ctid < '(\(pages.upperBound),0)'::tid"
    }

    private var differs: String { "(\(Self.green).tableoid IS NULL OR \(imagesDiffer(Self.green)))" }

    /// Byte by byte, after decompression: it works for types without `=`, and sees what `=` does not.
    ///
    /// - Parameter alias: the shadow's row.
    func imagesDiffer(_ alias: String) -> String {
        guard !columns.isEmpty else { return "false" }
        let old = columns.indices.map { "\(Self.source).\(Self.value($0))" }.joined(separator: ", ")
        let new = columns.map { "\(alias).\(Quoting.identifier($0.name))" }.joined(separator: ", ")
        return "pg_catalog.record_image_ne(ROW(\(old)), ROW(\(new)))"
    }

    var greenMatches: String { greenMatches(Self.source) }

    private func greenMatches(_ alias: String) -> String {
        table.key.enumerated().map { index, key in
            "\(Self.green).\(Quoting.identifier(key.green)) = \(alias).\(RefreshSQL.greenKey(index))"
        }.joined(separator: " AND ")
    }

    private func sameKey(_ alias: String) -> String {
        greenKeys.map { "\(alias).\($0) = \(Self.suspect).\($0)" }.joined(separator: " AND ")
    }

    private var expressionsMatch: String {
        table.key.enumerated().map { "\($1.castExpression) = \(Self.suspect).\(RefreshSQL.greenKey($0))" }
            .joined(separator: " AND ")
    }

    private var isTruncated: String {
        "EXISTS (SELECT FROM shadow_alter.migrated_table WHERE id = \(tableID) AND truncated_at IS NOT NULL)"
    }

    private var isSpooled: String {
        let waiting = [refresh.spool, parked].compactMap { $0 }.map { place in
            let keys = refresh.mapped(SpoolSQL.entries(place, table, .all))
            return
                "(\(qualified(Self.suspect))) IN (SELECT \(qualified("shadow_alter_spooled")) FROM \(keys) AS shadow_alter_spooled)"
        }
        return "(\(waiting.joined(separator: " OR ")))"
    }

    /// - Parameter keys: the key's values on the green side.
    private func isInSource(_ keys: [String]) -> String {
        switch lookup {
        case .direct:
            let matches = zip(table.key, keys).map { "shadow_alter_source.\(Quoting.identifier($0.source)) = \($1)" }
            return
                "EXISTS (SELECT FROM ONLY \(table.source.sql) AS shadow_alter_source WHERE \(matches.joined(separator: " AND ")))"
        case .computed:
            let computed = table.key.enumerated().map { "\($1.castExpression) AS \(RefreshSQL.greenKey($0))" }
            let matches = zip(greenKeys, keys).map { "shadow_alter_source.\($0) = \($1)" }
            return """
                EXISTS (SELECT FROM (SELECT \(computed.joined(separator: ", ")) FROM \(refresh.mappedSource)) AS shadow_alter_source
                    WHERE \(matches.joined(separator: " AND ")))
                """
        }
    }
}
