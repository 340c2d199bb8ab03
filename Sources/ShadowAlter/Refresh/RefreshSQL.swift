import PgConnection

/// `refresh(keys)`: makes the shadow's rows with these keys equal to the mapped source rows as they are now, inside the server.
struct RefreshSQL: Sendable {
    let table: TablePlan
    let spool: QualifiedName
    /// Only for a table whose mapping keeps columns.
    let kept: KeptSQL?

    init(_ record: TableRecord) {
        self.init(table: record.plan, spool: record.spool, kept: record.kept)
    }

    /// - Parameter kept: the table that `KeptSQL` needs where the mapping keeps columns.
    init(table: TablePlan, spool: QualifiedName, kept: QualifiedName? = nil) {
        self.table = table
        self.spool = spool
        self.kept = kept.flatMap { KeptSQL(place: $0, for: table) }
    }

    // Aliases that no name in a user's expression can mean.
    static let keys = "shadow_alter_keys"
    static let shadow = "shadow_alter_green"
    static let source = "shadow_alter_source"
    private static let integers: Set<String> = ["smallint", "integer", "bigint"]

    var alias: String { Quoting.identifier(table.mapping.alias) }

    /// `ONLY source AS "orders" ("id", …)`: the source under the names that the mapping's expressions know.
    var mappedSource: String {
        "ONLY \(table.source.sql) AS \(alias) (\(Quoting.identifiers(table.mapping.sourceNames)))"
    }

    var insertMapped: String {
        """
        INSERT INTO \(table.green.sql) (\(Quoting.identifiers(table.mapping.columns.map(\.green)))) OVERRIDING SYSTEM VALUE
        SELECT \(table.mapping.columns.map(\.expression).joined(separator: ", "))
        """
    }

    /// Copies the source's rows in the pages `firstPage ..< endPage`.
    func insert(pages firstPage: Int64, _ endPage: Int64) -> String {
        """
        \(insertMapped)
        FROM \(mappedSource)
        WHERE \(alias).ctid >= '(\(firstPage),0)'::tid AND \(alias).ctid < '(\(endPage),0)'::tid
        """
    }

    /// What becomes of a row of the batch that conflicts with one that is there.
    enum Conflict: Sendable {
        case fail
        /// One with the same key is replaced; any other conflict fails.
        case replace
        /// It is left out, whatever it conflicts with.
        case skip
    }

    /// Makes the rows of a batch's keys what they are to be, in this order.
    func statements(_ window: SpoolWindow, mode: RefreshBatch.Mode) -> [String] {
        if let kept { return kept.statements(self, window, conflict: mode == .yielding ? .skip : .fail) }
        let conflict: Conflict =
            switch mode {
            case .updating: .replace
            case .replacing: .fail
            case .yielding: .skip
            }
        return [delete(window, onlyGone: mode == .updating), insert(window, conflict: conflict)]
    }

    /// The batch's keys, joined with their rows in the source.
    func batch(_ window: SpoolWindow) -> String {
        let join = table.key.enumerated().map { index, key in
            "\(alias).\(Quoting.identifier(key.mapped)) = \(Self.keys).\(SpoolSQL.keyColumn(index))"
        }
        return """
            FROM \(SpoolSQL.keys(spool, table, window)) AS \(Self.keys)
            JOIN \(mappedSource) ON \(join.joined(separator: " AND "))
            """
    }

    /// Inserts the batch's rows.
    func insert(_ window: SpoolWindow, conflict: Conflict) -> String {
        var sql = """
            \(insertMapped)
            \(batch(window))
            """
        switch conflict {
        case .fail: break
        case .skip: sql += "\nON CONFLICT DO NOTHING"
        case .replace:
            // Keys that are equal need not look alike: 'A' and 'a' as citext, 1.0 and 1.00. Of integers there is one form only, and they may be
            // identities, which cannot be updated.
            let integers = Set(table.key.filter { Self.integers.contains($0.greenType) }.map(\.green))
            let assigned = table.mapping.columns.map(\.green).filter { !integers.contains($0) }
            let assignments = assigned.map { "\(Quoting.identifier($0)) = excluded.\(Quoting.identifier($0))" }
            sql += "\nON CONFLICT (\(Quoting.identifiers(table.key.map(\.green)))) DO "
            sql += assignments.isEmpty ? "NOTHING" : "UPDATE SET " + assignments.joined(separator: ", ")
        }
        return sql
    }

    /// Deletes the batch's keys from the shadow; with `onlyGone`, those whose source row is no more.
    func delete(_ window: SpoolWindow, onlyGone: Bool) -> String {
        let keys = mapped(SpoolSQL.entries(spool, table, window))
        var sql = """
            DELETE FROM \(table.green.sql) AS \(Self.shadow)
            USING \(keys) AS \(Self.keys)
            WHERE \(greenMatches)
            """
        if onlyGone {
            sql += "\nAND NOT \(isInSource)"
        }
        return sql
    }

    /// Deletes every spooled key's rows from these pages of the shadow, or of each file below it.
    func purge(_ pages: Range<Int64>) -> String {
        """
        \(delete(.all, onlyGone: false))
        AND \(Self.shadow).ctid >= '(\(pages.lowerBound),0)'::tid AND \(Self.shadow).ctid < '(\(pages.upperBound),0)'::tid
        """
    }

    /// Whether any of the batch's keys has a row in the source.
    func isThere(_ window: SpoolWindow) -> String {
        let keys = SpoolSQL.keys(spool, table, window)
        return """
            SELECT EXISTS (SELECT FROM \(keys) AS \(Self.keys) JOIN ONLY \(table.source.sql) AS \(Self.source) ON \(sourceMatches))
            """
    }

    /// The batch's spooled keys, by their sequence numbers, whose source row exists and is not in the shadow: after `insert` with `skip`,
    /// those that were left out.
    func missing(_ window: SpoolWindow) -> String {
        let keys = mapped(SpoolSQL.entries(spool, table, window), also: [SpoolSQL.entry])
        return """
            SELECT \(Self.keys).\(SpoolSQL.entry)
            FROM \(keys) AS \(Self.keys)
            WHERE \(isInSource)
              AND NOT EXISTS (SELECT FROM \(table.green.sql) AS \(Self.shadow) WHERE \(greenMatches))
            """
    }

    /// Keys with the values that they have on the green side, each pair once. They get the mapping's names and a scope of their own, so that the
    /// key's expressions can be evaluated over them.
    ///
    /// Of keys that are equal each form counts: 'a' and 'A' as citext are the rows 'a' and 'A' of a green table whose key is text.
    ///
    /// - Parameter keys: as they were spooled, in all their forms.
    func mapped(_ keys: String, also others: [String] = []) -> String {
        let named = table.key.enumerated().map { index, key in
            "\(SpoolSQL.keyColumn(index)) AS \(Quoting.identifier(key.mapped))"
        }
        let mapped = table.key.enumerated().map { index, key in
            "\(key.castExpression) AS \(Self.greenKey(index)), \(alias).\(Quoting.identifier(key.mapped)) AS \(SpoolSQL.keyColumn(index))"
        }
        return """
            (SELECT DISTINCT \((mapped + others).joined(separator: ", "))
               FROM (SELECT \((named + others).joined(separator: ", ")) FROM \(keys) AS \(Self.keys)) AS \(alias))
            """
    }

    var greenMatches: String {
        table.key.enumerated().map { index, key in
            "\(Self.shadow).\(Quoting.identifier(key.green)) = \(Self.keys).\(Self.greenKey(index))"
        }.joined(separator: " AND ")
    }

    /// Whether a row of the source has an equal key.
    var sourceMatches: String {
        table.key.enumerated().map { index, key in
            "\(Self.source).\(Quoting.identifier(key.source)) = \(Self.keys).\(SpoolSQL.keyColumn(index))"
        }.joined(separator: " AND ")
    }

    /// Whether the source has a row for one of the keys that `mapped` gives: not just one whose key is equal, but one that has the same green key.
    var isInSource: String {
        let matches = table.key.enumerated().map { index, key in
            "\(alias).\(Quoting.identifier(key.mapped)) = \(Self.keys).\(SpoolSQL.keyColumn(index)) "
                + "AND \(key.castExpression) = \(Self.keys).\(Self.greenKey(index))"
        }
        return "EXISTS (SELECT FROM \(mappedSource) WHERE \(matches.joined(separator: " AND ")))"
    }

    /// A key column's value on the green side, as the batch computes it.
    static func greenKey(_ index: Int) -> String { "shadow_alter_g\(index + 1)" }
}

extension KeyColumn {
    /// The key's value on the green side, in the green column's type and collation.
    var castExpression: String {
        let cast = "CAST(\(expression) AS \(greenType))"
        return greenCollation.map { "(\(cast) COLLATE \($0))" } ?? cast
    }
}
