import PgConnection

/// With how many dimensions array columns were declared (`int[][]`): LIKE forgets it, and programs that read catalogs take it for the truth.
///
/// Only a column definition or a change of the type can tell PostgreSQL. The change resets what belongs to a type; it has to be the first thing
/// that is done to a clone.
struct ArrayDimensions {
    let sourceOID: UInt32
    let green: QualifiedName

    func copy(on connection: isolated PgConnection) throws {
        // The type of a column that a generated column or a partition key uses cannot be changed, not even to what it is.
        let columns = try connection.query(
            """
            SELECT quote_ident(a.attname) AS name, format_type(a.atttypid, a.atttypmod) || repeat('[]', a.attndims - 1) AS type,
                CASE a.attstorage WHEN 'p' THEN 'PLAIN' WHEN 'e' THEN 'EXTERNAL' WHEN 'm' THEN 'MAIN' ELSE 'EXTENDED' END AS storage,
                CASE a.attcompression WHEN 'p' THEN 'pglz' WHEN 'l' THEN 'lz4' ELSE 'default' END AS compression,
                (SELECT format('COLLATE %I.%I', n.nspname, l.collname) FROM pg_collation l JOIN pg_namespace n ON n.oid = l.collnamespace
                 WHERE l.oid = a.attcollation) AS collation
            FROM pg_attribute a JOIN pg_type t ON t.oid = a.atttypid
            LEFT JOIN pg_partitioned_table p ON p.partrelid = a.attrelid
            WHERE a.attrelid = $1 AND a.attnum > 0 AND NOT a.attisdropped AND a.attndims > 0 AND t.typcategory = 'A' AND a.attgenerated = ''
              AND p.partexprs IS NULL AND NOT a.attnum = ANY (coalesce(p.partattrs::int2[], '{}'))
              AND NOT EXISTS (SELECT FROM pg_depend d JOIN pg_attrdef f ON d.classid = 'pg_attrdef'::regclass AND d.objid = f.oid
                              JOIN pg_attribute g ON g.attrelid = f.adrelid AND g.attnum = f.adnum AND g.attgenerated <> ''
                              WHERE d.refclassid = 'pg_class'::regclass AND d.refobjid = a.attrelid AND d.refobjsubid = a.attnum)
            ORDER BY a.attnum
            """, [.int(sourceOID)])
        for column in columns.rows {
            let alter = "ALTER TABLE \(green.sql) ALTER COLUMN \(try column.get("name", as: String.self))"
            let collation: String? = try column.optional("collation")
            try connection.execute(
                "\(alter) TYPE \(try column.get("type", as: String.self)) \(collation ?? "")")
            try connection.execute("\(alter) SET STORAGE \(try column.get("storage", as: String.self))")
            try connection.execute("\(alter) SET COMPRESSION \(try column.get("compression", as: String.self))")
        }
    }
}
