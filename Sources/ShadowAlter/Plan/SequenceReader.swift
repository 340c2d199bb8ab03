import PgConnection

/// The sequences that a table's columns own, and what becomes of them.
struct SequenceReader {
    let sourceOID: UInt32
    let green: QualifiedName
    let tracker: ChangeTracker

    func read(on connection: isolated PgConnection) throws -> (sequences: [SequencePlan], warnings: [String]) {
        let rows = try connection.query(
            """
            SELECT n.nspname, s.relname, a.attname, a.attidentity <> '' AS identity, q.seqtypid, format_type(q.seqtypid, NULL) AS type
            FROM pg_depend d JOIN pg_class s ON s.oid = d.objid AND s.relkind = 'S' JOIN pg_namespace n ON n.oid = s.relnamespace
            JOIN pg_sequence q ON q.seqrelid = s.oid
            JOIN pg_attribute a ON a.attrelid = d.refobjid AND a.attnum = d.refobjsubid
            WHERE d.classid = 'pg_class'::regclass AND d.refclassid = 'pg_class'::regclass AND d.refobjid = $1 AND d.deptype IN ('a', 'i')
            ORDER BY s.oid
            """, [.int(sourceOID)])
        var sequences: [SequencePlan] = []
        var warnings: [String] = []
        for row in rows.rows {
            let name = QualifiedName(schema: try row.get("nspname"), name: try row.get("relname"))
            let column: String = try row.get("attname")
            let now = tracker.original.first { $0.name == column }.flatMap { tracker.current(for: $0) }
            if try row.get("identity") {
                // Without identity in the new definition PostgreSQL's own ALTER TABLE drops the sequence, too: it stays with the old table.
                if now?.isIdentity == true {
                    sequences.append(
                        .identity(source: name, green: QualifiedName(schema: green.schema, name: name.name)))
                }
                continue
            }
            sequences.append(.serial(sequence: name, greenColumn: now?.name))
            let type: String = try row.get("type")
            if let now, now.type == "bigint", type != "bigint" {
                warnings.append(
                    "sequence \(name) stays of type \(type), as with PostgreSQL's own ALTER TABLE, and ends at that type's limit: "
                        + "ALTER SEQUENCE \(name.sql) AS bigint")
            }
        }
        return (sequences, warnings)
    }
}
