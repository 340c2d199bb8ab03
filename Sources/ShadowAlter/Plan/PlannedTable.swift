import PgConnection

/// A table that a change is about, as it is now.
struct PlannedTable: Sendable, Equatable {
    let source: QualifiedName
    let sourceOID: UInt32
    var isPartitioned = false
    /// It and the partitioned tables above it that are migrated with it, the uppermost first: whose ALTER TABLE reaches it.
    var lineage: [UInt32]

    init(source: QualifiedName, sourceOID: UInt32, isPartitioned: Bool = false, lineage: [UInt32]? = nil) {
        self.source = source
        self.sourceOID = sourceOID
        self.isPartitioned = isPartitioned
        self.lineage = lineage ?? [sourceOID]
    }

    /// How far it is from the uppermost table that is migrated with it.
    var depth: Int { lineage.count - 1 }

    /// Finds the table that a relation is, or that an index or an identity's sequence belongs to. PostgreSQL resolves the name, by the
    /// session's `search_path`. A serial column's sequence is none of these: it goes on serving the live table, and has no copy.
    ///
    /// - Parameter name: as in SQL, quoted where needed. Returns nil when there is nothing of this name.
    static func find(_ name: String, on connection: isolated PgConnection) throws -> Self? {
        try read(
            """
            coalesce(
                (SELECT indrelid FROM pg_catalog.pg_index WHERE indexrelid = to_regclass($1)),
                (SELECT d.refobjid FROM pg_catalog.pg_depend d JOIN pg_catalog.pg_class s ON s.oid = d.objid AND s.relkind = 'S'
                 WHERE d.classid = 'pg_catalog.pg_class'::regclass AND d.objid = to_regclass($1)
                    AND d.refclassid = 'pg_catalog.pg_class'::regclass AND d.refobjsubid > 0 AND d.deptype = 'i'),
                to_regclass($1))
            """, name, on: connection)
    }

    /// Finds the table that extended statistics are about, by the statistics' name without a schema.
    static func find(statistics name: String, on connection: isolated PgConnection) throws -> Self? {
        try read(
            """
            (SELECT stxrelid FROM pg_catalog.pg_statistic_ext
             WHERE stxname = $1 AND pg_catalog.pg_statistics_obj_is_visible(oid))
            """, name, on: connection)
    }

    private static func read(_ oid: String, _ name: String, on connection: isolated PgConnection) throws -> Self? {
        try connection.query(
            """
            SELECT c.oid, n.nspname, c.relname, c.relkind = 'p' AS is_partitioned FROM pg_catalog.pg_class c
            JOIN pg_catalog.pg_namespace n ON n.oid = c.relnamespace WHERE c.oid = \(oid)
            """, [.text(name)]
        ).first.map { row in
            Self(
                source: QualifiedName(schema: try row.get("nspname"), name: try row.get("relname")),
                sourceOID: try row.get("oid"), isPartitioned: try row.get("is_partitioned"))
        }
    }
}
