import PgConnection

/// The table's sequences serve this table alone, and lie beside it.
struct SequenceCheck: TableCheck {
    func findings(for table: InspectedTable, on connection: isolated PgConnection) throws -> [Finding] {
        try usedElsewhere(table, on: connection) + elsewhere(table, on: connection)
    }

    /// A default of another table; or, of an identity's sequence, any default, because the new table has an identity of
    /// its own.
    private func usedElsewhere(_ table: InspectedTable, on connection: isolated PgConnection) throws -> [Finding] {
        try table.query(
            TableFamily.with + """
                SELECT d.classid, d.objid, format('%I.%I', sn.nspname, s.relname) AS sequence,
                    un.nspname AS user_schema, format('%I.%I', un.nspname, u.relname) AS user_table, quote_ident(a.attname) AS user_column
                FROM dependent d
                JOIN owned_sequence o ON o.oid = d.refobjid
                JOIN pg_catalog.pg_class s ON s.oid = o.oid JOIN pg_catalog.pg_namespace sn ON sn.oid = s.relnamespace
                JOIN pg_catalog.pg_attrdef e ON e.oid = d.objid AND d.classid = 'pg_catalog.pg_attrdef'::regclass
                JOIN pg_catalog.pg_attribute a ON a.attrelid = e.adrelid AND a.attnum = e.adnum
                JOIN pg_catalog.pg_class u ON u.oid = e.adrelid JOIN pg_catalog.pg_namespace un ON un.oid = u.relnamespace
                WHERE d.refclassid = 'pg_catalog.pg_class'::regclass AND (e.adrelid <> $1 OR o.is_identity)
                    AND e.adrelid NOT IN (SELECT relid FROM pg_partition_tree($1))
                ORDER BY sequence, user_table, user_column
                """, on: connection
        ).map { row in
            let sequence: String = try row.get("sequence")
            let user: String = try row.get("user_table")
            let column: String = try row.get("user_column")
            let migration = try StateStore.name(ofBlue: row.get("user_schema"), on: connection)
            return Finding(
                Refusal(
                    code: "sequence-shared", object: table.name,
                    what: "its sequence \(sequence) is also the default of the column \(column) of \(user)",
                    why:
                        "the sequence goes with this table, and the other column would be left with the old one or hinder its removal",
                    fix: migration.map { "shadow-alter finalize \($0)  -- \(user) is the old table of that migration" }
                        ?? "ALTER TABLE \(user) ALTER COLUMN \(column) DROP DEFAULT;  -- or give that column a sequence of its own"
                ),
                covers: [try CatalogAddress(row)])
        }
    }

    /// PostgreSQL moves owned sequences along with their table, so that both lie in one schema unless a catalog was
    /// edited.
    private func elsewhere(_ table: InspectedTable, on connection: isolated PgConnection) throws -> [Finding] {
        try table.query(
            TableFamily.with + """
                SELECT format('%I.%I', n.nspname, s.relname) AS sequence
                FROM owned_sequence o
                JOIN pg_catalog.pg_class s ON s.oid = o.oid JOIN pg_catalog.pg_namespace n ON n.oid = s.relnamespace
                JOIN pg_catalog.pg_class t ON t.oid = $1
                WHERE s.relnamespace <> t.relnamespace ORDER BY 1
                """, on: connection
        ).map { row in
            let sequence: String = try row.get("sequence")
            return Finding(
                Refusal(
                    code: "sequence-elsewhere", object: table.name,
                    what: "owns the sequence \(sequence) in another schema",
                    why:
                        "PostgreSQL keeps an owned sequence in its table's schema, and moves both together at cut-over",
                    fix: "ALTER SEQUENCE \(sequence) OWNED BY NONE;"))
        }
    }
}
