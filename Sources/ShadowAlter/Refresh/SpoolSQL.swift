import PgConnection

/// The statements over the table in which a source's dirty keys wait.
enum SpoolSQL {
    /// The spool's names for the key's columns; unlike any name that an expression of the user's may mention.
    static func keyColumn(_ index: Int) -> String { "shadow_alter_k\(index + 1)" }

    static func keyColumns(_ table: TablePlan) -> [String] {
        table.key.indices.map { keyColumn($0) }
    }

    /// Made from the source by a query, so that types, domains and collations are the source's own.
    ///
    /// A publication of all tables is of this one, too, and nobody may delete from a published table without a replica identity.
    static func create(_ spool: QualifiedName, for table: TablePlan) -> String {
        let columns = table.key.enumerated().map { index, key in
            "\(Quoting.identifier(key.source)) AS \(keyColumn(index))"
        }
        return """
            CREATE TABLE \(spool.sql) AS SELECT 0::bigint AS seq, '0'::xid8 AS xid, \(columns.joined(separator: ", "))
            FROM ONLY \(table.source.sql) WITH NO DATA;
            CREATE INDEX ON \(spool.sql) (seq);
            ALTER TABLE \(spool.sql) REPLICA IDENTITY FULL;
            """
    }

    static func copyIn(_ spool: QualifiedName, for table: TablePlan) -> String {
        "COPY \(spool.sql) (seq, xid, \(keyColumns(table).joined(separator: ", "))) FROM STDIN"
    }

    /// Whether a spooled key is in a batch.
    static func condition(_ window: SpoolWindow) -> String {
        var condition = "seq > \(window.after) AND seq <= \(window.through)"
        if let snapshot = window.snapshot {
            condition += " AND pg_visible_in_snapshot(xid, \(Quoting.literal(snapshot)))"
        }
        return condition
    }

    /// The keys of a batch, each once, as a subquery.
    static func keys(_ spool: QualifiedName, _ table: TablePlan, _ window: SpoolWindow) -> String {
        "(SELECT DISTINCT \(keyColumns(table).joined(separator: ", ")) FROM \(spool.sql) WHERE \(condition(window)))"
    }

    /// The name of an entry's sequence number where the key's columns have the mapping's names.
    static let entry = "shadow_alter_seq"

    /// The keys of a batch as often as they were spooled, with their sequence numbers, as a subquery.
    static func entries(_ spool: QualifiedName, _ table: TablePlan, _ window: SpoolWindow) -> String {
        "(SELECT \(keyColumns(table).joined(separator: ", ")), seq AS \(entry) FROM \(spool.sql) WHERE \(condition(window)))"
    }

    /// - Parameter kept: sequence numbers of keys that stay.
    static func delete(_ spool: QualifiedName, _ window: SpoolWindow, except kept: Set<Int64> = []) -> String {
        let list = kept.sorted().map(String.init).joined(separator: ",")
        return "DELETE FROM \(spool.sql) WHERE \(condition(window))"
            + (kept.isEmpty ? "" : " AND seq <> ALL ('{\(list)}'::bigint[])")
    }
}

/// A stretch of the spool: the keys that one batch takes.
struct SpoolWindow: Sendable, Equatable {
    /// Sequence numbers begin at 1.
    var after: Int64
    var through: Int64
    /// Only keys of transactions that this snapshot (`pg_snapshot`'s text) sees; nil takes all.
    ///
    /// With synchronous replication the stream tells of a commit before other sessions see it. A batch that took such a
    /// key would read the old row and forget the new one.
    var snapshot: String?

    static let all = SpoolWindow(after: 0, through: Int64.max, snapshot: nil)
}
