import PgConnection

/// A foreign key as the catalogs have it, with the tables and columns that it has now.
struct ForeignKey: Sendable, Equatable {
    /// One end of it.
    struct End: Sendable, Equatable {
        var oid: UInt32
        var table: QualifiedName
        var isPartitioned: Bool
        /// In the order in which the constraint lists them.
        var columns: [String]
    }

    var oid: UInt32
    var name: String
    var referencing: End
    var referenced: End
    /// `pg_constraint.confmatchtype`, `confupdtype`, `confdeltype`.
    var match: String
    var onUpdate: String
    var onDelete: String
    /// The columns that `ON DELETE SET NULL` or `SET DEFAULT` sets, if not all.
    var deleteSets: [String]
    var isDeferrable: Bool
    var isInitiallyDeferred: Bool
    var isValidated: Bool
    /// Always true before PostgreSQL 18.
    var isEnforced: Bool
    /// Whether the last columns are a period (PostgreSQL 18).
    var hasPeriod: Bool
    /// Whether it goes to the primary key: another unique index may have the same columns.
    var isToPrimaryKey: Bool
    var comment: String?

    var isSelfReferencing: Bool { referencing.oid == referenced.oid }

    /// The name as a person would say it.
    var title: String { "foreign key \(name) of \(referencing.table)" }

    func drop() -> String {
        "ALTER TABLE \(referencing.table.sql) DROP CONSTRAINT \(Quoting.identifier(name))"
    }

    func comment(on table: QualifiedName) -> String? {
        comment.map {
            "COMMENT ON CONSTRAINT \(Quoting.identifier(name)) ON \(table.sql) IS \(Quoting.literal($0))"
        }
    }

    func validate(_ table: QualifiedName) -> String {
        "ALTER TABLE \(table.sql) VALIDATE CONSTRAINT \(Quoting.identifier(name))"
    }

    /// Adds it without looking at the rows that are there.
    ///
    /// Every word is said, also where it is the default, except for those that a version may not know. Without columns it goes to the primary
    /// key; with them, to whichever index of theirs was made first.
    ///
    /// - Parameter validated: looks at the rows after all.
    func add(validated: Bool = false) -> String {
        let columns = Self.list(referencing.columns, period: hasPeriod)
        let others = Self.list(referenced.columns, period: hasPeriod)
        var sql = "ALTER TABLE \(referencing.table.sql) ADD CONSTRAINT \(Quoting.identifier(name))"
        sql += " FOREIGN KEY (\(columns)) REFERENCES \(referenced.table.sql)"
        if !isToPrimaryKey { sql += " (\(others))" }
        if match == "f" { sql += " MATCH FULL" }
        sql += " ON UPDATE \(Self.action(onUpdate)) ON DELETE \(Self.action(onDelete))"
        if !deleteSets.isEmpty { sql += " (\(Quoting.identifiers(deleteSets)))" }
        sql += isDeferrable ? " DEFERRABLE" : " NOT DEFERRABLE"
        sql += isInitiallyDeferred ? " INITIALLY DEFERRED" : " INITIALLY IMMEDIATE"
        if validated { return sql }
        return sql + (isEnforced ? " NOT VALID" : " NOT ENFORCED")
    }

    private static func list(_ columns: [String], period: Bool) -> String {
        columns.enumerated().map { index, name in
            (period && index == columns.count - 1 ? "PERIOD " : "") + Quoting.identifier(name)
        }.joined(separator: ", ")
    }

    private static func action(_ letter: String) -> String {
        switch letter {
        case "r": "RESTRICT"
        case "c": "CASCADE"
        case "n": "SET NULL"
        case "d": "SET DEFAULT"
        default: "NO ACTION"
        }
    }
}

extension ForeignKey {
    /// All foreign keys from and to these tables, in the order in which they were made: it is the order in which their actions fire.
    ///
    /// Those of partitions come and go with their partitioned table's.
    static func read(_ tables: [UInt32], on connection: isolated PgConnection) throws -> [ForeignKey] {
        let version = connection.serverVersion.major
        let rows = try connection.query(
            """
            SELECT k.oid, k.conname, k.conrelid, rn.nspname AS from_schema, r.relname AS from_name, r.relkind = 'p' AS from_partitioned,
                k.confrelid, tn.nspname AS to_schema, t.relname AS to_name, t.relkind = 'p' AS to_partitioned,
                \(columns("k.conrelid", "k.conkey")) AS from_columns, \(columns("k.confrelid", "k.confkey")) AS to_columns,
                k.confmatchtype, k.confupdtype, k.confdeltype, \(version >= 15 ? columns("k.conrelid", "k.confdelsetcols") : "'{}'") AS sets,
                k.condeferrable, k.condeferred, k.convalidated, \(version >= 18 ? "k.conenforced" : "true") AS enforced,
                \(version >= 18 ? "k.conperiod" : "false") AS period,
                coalesce((SELECT i.indisprimary AND \(columns("i.indrelid", "(i.indkey::int2[])[:i.indnkeyatts - 1]")) = \(columns("k.confrelid", "k.confkey"))
                          FROM pg_index i WHERE i.indexrelid = k.conindid), false) AS to_primary,
                obj_description(k.oid, 'pg_constraint') AS comment
            FROM pg_constraint k
            JOIN pg_class r ON r.oid = k.conrelid JOIN pg_namespace rn ON rn.oid = r.relnamespace
            JOIN pg_class t ON t.oid = k.confrelid JOIN pg_namespace tn ON tn.oid = t.relnamespace
            WHERE k.contype = 'f' AND k.conparentid = 0 AND (k.conrelid = ANY ($1::oid[]) OR k.confrelid = ANY ($1::oid[]))
            ORDER BY k.oid
            """, [.array(tables.map { String($0) })])
        return try rows.rows.map { row in
            func end(_ side: String, _ oid: String) throws -> End {
                End(
                    oid: try row.get(oid),
                    table: QualifiedName(schema: try row.get("\(side)_schema"), name: try row.get("\(side)_name")),
                    isPartitioned: try row.get("\(side)_partitioned"), columns: try row.get("\(side)_columns"))
            }
            return ForeignKey(
                oid: try row.get("oid"), name: try row.get("conname"), referencing: try end("from", "conrelid"),
                referenced: try end("to", "confrelid"), match: try row.get("confmatchtype"),
                onUpdate: try row.get("confupdtype"), onDelete: try row.get("confdeltype"),
                deleteSets: try row.get("sets"), isDeferrable: try row.get("condeferrable"),
                isInitiallyDeferred: try row.get("condeferred"), isValidated: try row.get("convalidated"),
                isEnforced: try row.get("enforced"), hasPeriod: try row.get("period"),
                isToPrimaryKey: try row.get("to_primary"),
                comment: try row.optional("comment"))
        }
    }

    /// The primary keys of tables, by OID.
    static func primaryKeys(
        _ tables: [UInt32], on connection: isolated PgConnection
    ) throws -> [UInt32: [String]] {
        let rows = try connection.query(
            """
            SELECT i.indrelid, \(columns("i.indrelid", "(i.indkey::int2[])[:i.indnkeyatts - 1]")) AS columns
            FROM pg_index i WHERE i.indisprimary AND i.indrelid = ANY ($1::oid[])
            """, [.array(tables.map { String($0) })])
        return Dictionary(
            try rows.rows.map { (try $0.get("indrelid"), try $0.get("columns")) }, uniquingKeysWith: { $1 })
    }

    private static func columns(_ relation: String, _ numbers: String) -> String {
        """
        ARRAY(SELECT a.attname::text FROM unnest(\(numbers)) WITH ORDINALITY u (number, position)
            JOIN pg_attribute a ON a.attrelid = \(relation) AND a.attnum = u.number ORDER BY u.position)
        """
    }
}
