import PgConnection

/// The sequences that a table's columns own, and what becomes of them.
struct SequenceReader {
    let sourceOID: UInt32
    let green: QualifiedName
    let tracker: ChangeTracker
    /// Of a table that the script has made; its columns may have sequences of their own.
    private let replacementOID: UInt32?

    init(_ table: TriedTable) {
        sourceOID = table.clone.sourceOID
        green = table.clone.green
        tracker = table.tracker
        replacementOID = table.isReplaced ? table.clone.greenOID : nil
    }

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
            if let replacementOID {
                let (sequence, warning) = try replaced(name, column, in: replacementOID, on: connection)
                sequences.append(sequence)
                warnings += [warning].compactMap { $0 }
                continue
            }
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

    /// A new column may have a sequence of its own, which goes on where the old one's is; or its default may go on using that; or neither.
    private func replaced(
        _ name: QualifiedName, _ column: String, in oid: UInt32, on connection: isolated PgConnection
    ) throws -> (SequencePlan, warning: String?) {
        let row = try connection.query(
            """
            SELECT (SELECT s.relname FROM pg_depend d JOIN pg_class s ON s.oid = d.objid AND s.relkind = 'S'
                    WHERE d.classid = 'pg_class'::regclass AND d.refclassid = 'pg_class'::regclass AND d.refobjid = a.attrelid
                        AND d.refobjsubid = a.attnum AND d.deptype IN ('a', 'i')) AS own,
                EXISTS (SELECT FROM pg_attrdef e JOIN pg_depend d ON d.classid = 'pg_attrdef'::regclass AND d.objid = e.oid
                        WHERE e.adrelid = a.attrelid AND e.adnum = a.attnum AND d.refclassid = 'pg_class'::regclass
                            AND d.refobjid = $3::text::regclass) AS uses_it
            FROM pg_attribute a WHERE a.attrelid = $1 AND a.attname = $2 AND NOT a.attisdropped
            """, [.int(oid), .text(column), .text(name.sql)]
        ).first
        if let own: String = try row?.optional("own") {
            return (.identity(source: name, green: QualifiedName(schema: green.schema, name: own)), nil)
        }
        if try row?.get("uses_it", as: Bool.self) == true { return (.serial(sequence: name, greenColumn: column), nil) }
        return (
            .serial(sequence: name, greenColumn: nil),
            "the new \(green.name) does not use the sequence \(name); it stays with the old table and goes with it"
        )
    }
}
