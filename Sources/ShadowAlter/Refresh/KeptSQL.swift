import PgConnection

/// The statements that refresh a table some of whose columns the mapping has no value for, and which are to keep what they have. Pure.
///
/// Rows are always replaced, never updated: an `INSERT … ON CONFLICT DO UPDATE` would have to give a NOT NULL column without a default a value
/// although the row has one. What a row keeps waits in a table of its own until the row is back, which may be some batches later where the
/// row has to yield to another (`RefreshBatch.Mode.yielding`).
struct KeptSQL: Sendable {
    let place: QualifiedName
    let columns: [String]
    private let table: TablePlan

    /// nil for a table whose mapping keeps nothing.
    init?(place: QualifiedName, for table: TablePlan) {
        guard let columns = table.mapping.kept, !columns.isEmpty else { return nil }
        self.place = place
        self.columns = columns
        self.table = table
    }

    private static let kept = "shadow_alter_kept"
    private static func column(_ index: Int) -> String { "shadow_alter_c\(index + 1)" }

    private var keys: [String] { table.key.indices.map { RefreshSQL.greenKey($0) } }
    private var values: [String] { columns.indices.map { Self.column($0) } }
    private var names: String { (keys + values).joined(separator: ", ") }

    /// Made from the target by a query, so that types, domains and collations are its own. With a replica identity for a publication of all
    /// tables, and logged: after a crash the rows that have yielded must find what they keep.
    var create: String {
        """
        CREATE TABLE \(place.sql) AS SELECT \(taken(from: nil).joined(separator: ", ")) FROM \(table.green.sql) WITH NO DATA;
        ALTER TABLE \(place.sql) REPLICA IDENTITY FULL;
        """
    }

    var empty: String { "DELETE FROM \(place.sql)" }

    func statements(_ refresh: RefreshSQL, _ window: SpoolWindow, conflict: RefreshSQL.Conflict) -> [String] {
        [takeAway(refresh.delete(window, onlyGone: false), from: RefreshSQL.shadow)]
            + putBack(refresh, rows: refresh.batch(window), conflict) + [forget(refresh, window)]
    }

    /// Puts rows of the source into the table: those that were there with what they keep, and the others.
    ///
    /// - Parameter rows: `FROM …` with joins, the source among them under the mapping's alias.
    func putBack(_ refresh: RefreshSQL, rows: String, _ conflict: RefreshSQL.Conflict) -> [String] {
        [old(rows, conflict), new(refresh, rows, conflict)]
    }

    private func taken(from alias: String?) -> [String] {
        let prefix = alias.map { "\($0)." } ?? ""
        return table.key.enumerated().map { "\(prefix)\(Quoting.identifier($1.green)) AS \(RefreshSQL.greenKey($0))" }
            + columns.enumerated().map { "\(prefix)\(Quoting.identifier($1)) AS \(Self.column($0))" }
    }

    /// - Parameter delete: deletes rows of the table, which it calls `alias`.
    func takeAway(_ delete: String, from alias: String) -> String {
        """
        WITH shadow_alter_gone AS (
        \(delete)
        RETURNING \(taken(from: alias).joined(separator: ", ")))
        INSERT INTO \(place.sql) (\(names)) SELECT \(names) FROM shadow_alter_gone
        """
    }

    private func old(_ rows: String, _ conflict: RefreshSQL.Conflict) -> String {
        let mapped = table.mapping.columns
        return """
            INSERT INTO \(table.green.sql) (\(Quoting.identifiers(mapped.map(\.green) + columns))) OVERRIDING SYSTEM VALUE
            SELECT \((mapped.map(\.expression) + values.map { "\(Self.kept).\($0)" }).joined(separator: ", "))
            \(rows)
            JOIN \(place.sql) AS \(Self.kept) ON \(isOfSource)
            """ + skip(conflict)
    }

    /// PostgreSQL gives the columns that are not mentioned their defaults.
    private func new(_ refresh: RefreshSQL, _ rows: String, _ conflict: RefreshSQL.Conflict) -> String {
        """
        \(refresh.insertMapped)
        \(rows)
        WHERE NOT EXISTS (SELECT FROM \(place.sql) AS \(Self.kept) WHERE \(isOfSource))
        """ + skip(conflict)
    }

    private func skip(_ conflict: RefreshSQL.Conflict) -> String {
        conflict == .skip ? "\nON CONFLICT DO NOTHING" : ""
    }

    /// What is kept for a row of the source.
    private var isOfSource: String {
        table.key.enumerated().map { index, key in
            "\(Self.kept).\(RefreshSQL.greenKey(index)) = \(key.castExpression)"
        }.joined(separator: " AND ")
    }

    /// Of the batch's rows, those that are back and those that are gone for good; not those that have yielded.
    private func forget(_ refresh: RefreshSQL, _ window: SpoolWindow) -> String {
        """
        \(forget(refresh.mapped(SpoolSQL.entries(refresh.spool, table, window)), as: RefreshSQL.keys)) AND (
            NOT \(refresh.isInSource)
            OR EXISTS (SELECT FROM \(table.green.sql) AS \(RefreshSQL.shadow) WHERE \(refresh.greenMatches)))
        """
    }

    /// Forgets what is kept for keys; conditions may follow.
    ///
    /// - Parameter keys: a relation that has them under the names of `RefreshSQL.greenKey`.
    func forget(_ keys: String, as alias: String) -> String {
        let isSame = self.keys.map { "\(Self.kept).\($0) = \(alias).\($0)" }.joined(separator: " AND ")
        return "DELETE FROM \(place.sql) AS \(Self.kept)\nUSING \(keys) AS \(alias)\nWHERE \(isSame)"
    }
}
