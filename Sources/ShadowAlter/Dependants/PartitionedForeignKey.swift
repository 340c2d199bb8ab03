import PgConnection

/// A foreign key of a new table that is partitioned, before PostgreSQL 18: there a partitioned table cannot have one that is NOT VALID, and a
/// valid one would look up every row under the lock. Its leaves can. Once they are validated, PostgreSQL makes the partitioned table's out of
/// them without reading a row.
struct PartitionedForeignKey {
    /// With the tables and columns that it will have.
    let key: ForeignKey
    /// Everything below the new table that holds rows.
    let leaves: [QualifiedName]

    /// How long the last step waits for its locks. It stops writing on both tables, and reading on the other one, while it waits and for the
    /// moment that it takes.
    private static let lockTimeout = "500ms"

    /// nil where PostgreSQL has better means, or the table is not partitioned.
    init?(_ key: ForeignKey, leaves: [QualifiedName], version: Int) {
        guard version < 18, !leaves.isEmpty else { return nil }
        self.key = key
        self.leaves = leaves
    }

    private var parts: [ForeignKey] {
        leaves.map { leaf in
            var part = key
            part.referencing.table = leaf
            return part
        }
    }

    var add: [String] { parts.map { $0.add() } }

    /// May be executed again.
    var settle: [String] {
        let table = key.referencing.table
        let comment = key.comment(on: table).map { "; \($0)" } ?? ""
        return parts.map { $0.validate($0.referencing.table) } + [
            """
            SET LOCAL lock_timeout = '\(Self.lockTimeout)'; DO \(Quoting.literal("""
                BEGIN
                    IF NOT EXISTS (SELECT FROM pg_catalog.pg_constraint WHERE contype = 'f' AND conrelid = \(Quoting.literal(table.sql))::regclass
                        AND conname = \(Quoting.literal(key.name))) THEN
                        \(key.add(validated: true));
                    END IF;
                END
                """))\(comment)
            """
        ]
    }
}
