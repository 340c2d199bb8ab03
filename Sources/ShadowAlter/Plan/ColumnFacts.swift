import PgConnection

/// A column as `pg_attribute` has it.
struct ColumnFacts: Sendable, Equatable {
    var number: Int
    var name: String
    var typeOID: UInt32
    var typeModifier: Int
    var collationOID: UInt32
    /// As `format_type` prints it.
    var type: String
    /// Qualified and quoted; nil for types without collation.
    var collation: String?
    var isNotNull: Bool
    var isGenerated: Bool
    var isIdentity: Bool
    var hasDefault: Bool

    func hasSameType(as other: ColumnFacts) -> Bool {
        typeOID == other.typeOID && typeModifier == other.typeModifier && collationOID == other.collationOID
    }

    /// The columns that are not dropped, in the order of `attnum`.
    static func read(_ oid: UInt32, on connection: isolated PgConnection) throws -> [ColumnFacts] {
        try connection.query(
            """
            SELECT a.attnum, a.attname, a.atttypid, a.atttypmod, a.attcollation, format_type(a.atttypid, a.atttypmod) AS type,
                CASE WHEN l.oid IS NOT NULL THEN format('%I.%I', n.nspname, l.collname) END AS collation,
                a.attnotnull, a.attgenerated <> '' AS generated, a.attidentity <> '' AS identity, a.atthasdef
            FROM pg_attribute a LEFT JOIN pg_collation l ON l.oid = a.attcollation LEFT JOIN pg_namespace n ON n.oid = l.collnamespace
            WHERE a.attrelid = $1 AND a.attnum > 0 AND NOT a.attisdropped ORDER BY a.attnum
            """, [.int(oid)]
        ).rows.map { row in
            ColumnFacts(
                number: try row.get("attnum"), name: try row.get("attname"), typeOID: try row.get("atttypid"),
                typeModifier: try row.get("atttypmod"), collationOID: try row.get("attcollation"),
                type: try row.get("type"),
                collation: try row.optional("collation"), isNotNull: try row.get("attnotnull"),
                isGenerated: try row.get("generated"), isIdentity: try row.get("identity"),
                hasDefault: try row.get("atthasdef"))
        }
    }
}
