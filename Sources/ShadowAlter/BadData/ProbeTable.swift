import PgConnection

/// A temporary table of a session's own that takes the rows that a new table takes, and no others.
///
/// Rows are tried on it, because the new table would keep the dead ones. Temporary tables write no WAL.
struct ProbeTable: Sendable, Equatable {
    /// With everything that a row has to satisfy by itself.
    static let rows = QualifiedName(schema: "pg_temp", name: "shadow_alter_probe")
    /// With the columns' types alone, to try one column after the other.
    static let types = QualifiedName(schema: "pg_temp", name: "shadow_alter_types")
    /// Stands for all that is said of a partitioned table's partitions.
    static let partitionCheck = "shadow_alter_partition"

    private let columns: [String]
    private let typedColumns: [String]
    private let checks: [String]
    /// The columns of each CHECK constraint, by its name.
    let checkedColumns: [String: [String]]

    /// What there is to be said of the columns and checks of a table, under the session's `search_path`.
    static func read(_ table: UInt32, isPartitioned: Bool, on connection: isolated PgConnection) throws -> ProbeTable {
        let columns = try connection.query(columnsQuery, [.int(table)]).rows
        let checks = try connection.query(
            """
            SELECT c.conname, pg_get_constraintdef(c.oid) AS definition,
                ARRAY(SELECT a.attname::text FROM pg_attribute a
                      WHERE a.attrelid = c.conrelid AND a.attnum = ANY (c.conkey) ORDER BY a.attnum) AS columns
            FROM pg_constraint c WHERE c.conrelid = $1 AND c.contype = 'c' AND c.convalidated ORDER BY c.conname
            """, [.int(table)]
        ).rows
        var all = try checks.map { row in
            let name: String = try row.get("conname")
            let definition: String = try row.get("definition")
            return "CONSTRAINT \(Quoting.identifier(name)) \(definition)"
        }
        if isPartitioned, let condition = try MisfitScan.condition(of: table, on: connection) {
            all.append("CONSTRAINT \(partitionCheck) CHECK ((\(condition)) IS TRUE)")
        }
        return ProbeTable(
            columns: try columns.map { try $0.get("column") }, typedColumns: try columns.map { try $0.get("typed") },
            checks: all,
            checkedColumns: Dictionary(
                try checks.map { (try $0.get("conname", as: String.self), try $0.get("columns", as: [String].self)) },
                uniquingKeysWith: { $1 }))
    }

    /// A default that takes numbers from a sequence is left out, and so is its NOT NULL: nothing is to be used up by looking.
    private static let columnsQuery = """
        SELECT format('%I %s%s', a.attname, format_type(a.atttypid, a.atttypmod), a.collation) AS typed,
            format('%I %s%s%s%s', a.attname, format_type(a.atttypid, a.atttypmod), a.collation,
                CASE WHEN a.attgenerated = 's' THEN ' GENERATED ALWAYS AS (' || a.value || ') STORED'
                     WHEN a.attgenerated <> '' THEN ' GENERATED ALWAYS AS (' || a.value || ') VIRTUAL'
                     WHEN a.value IS NOT NULL AND NOT a.counts THEN ' DEFAULT ' || a.value ELSE '' END,
                CASE WHEN a.attnotnull AND NOT a.counts THEN ' NOT NULL' ELSE '' END) AS column
        FROM (
            SELECT a.*, pg_get_expr(d.adbin, d.adrelid) AS value,
                a.attidentity <> '' OR EXISTS (
                    SELECT FROM pg_depend p JOIN pg_class s ON s.oid = p.refobjid AND s.relkind = 'S'
                    WHERE p.classid = 'pg_attrdef'::regclass AND p.objid = d.oid AND p.refclassid = 'pg_class'::regclass) AS counts,
                CASE WHEN a.attcollation <> 0 AND a.attcollation <> t.typcollation
                     THEN format(' COLLATE %I.%I', n.nspname, l.collname) ELSE '' END AS collation
            FROM pg_attribute a JOIN pg_type t ON t.oid = a.atttypid
            LEFT JOIN pg_attrdef d ON d.adrelid = a.attrelid AND d.adnum = a.attnum
            LEFT JOIN pg_collation l ON l.oid = a.attcollation LEFT JOIN pg_namespace n ON n.oid = l.collnamespace
            WHERE a.attrelid = $1 AND a.attnum > 0 AND NOT a.attisdropped) a
        ORDER BY a.attnum
        """

    /// Once in a session. The first table is empty after each transaction.
    var create: String {
        """
        CREATE TEMPORARY TABLE \(Self.rows.name) (\((columns + checks).joined(separator: ", "))) ON COMMIT DELETE ROWS;
        CREATE TEMPORARY TABLE \(Self.types.name) (\(typedColumns.joined(separator: ", "))) ON COMMIT DELETE ROWS;
        """
    }

    static let drop = "DROP TABLE IF EXISTS \(rows.sql), \(types.sql)"
}
