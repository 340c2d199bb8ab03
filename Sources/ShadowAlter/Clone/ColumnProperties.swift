import PgConnection

/// What LIKE leaves out of columns: statistics targets, `n_distinct`, comments.
struct ColumnProperties {
    let sourceOID: UInt32
    let green: QualifiedName

    func copy(on connection: isolated PgConnection) throws {
        // attstattarget is -1 before PostgreSQL 17 and NULL from then on where it is the default. Other entries of attoptions than
        // n_distinct are not to be set by users.
        let columns = try connection.query(
            """
            SELECT attname, nullif(attstattarget, -1) AS target, col_description(attrelid, attnum) AS comment,
                (SELECT string_agg(o, ', ') FROM unnest(attoptions) o WHERE o LIKE 'n\\_distinct%') AS options
            FROM pg_attribute WHERE attrelid = $1 AND attnum > 0 AND NOT attisdropped ORDER BY attnum
            """, [.int(sourceOID)])
        for column in columns.rows {
            let name = Quoting.identifier(try column.get("attname", as: String.self))
            if let target: Int = try column.optional("target") {
                try connection.execute("ALTER TABLE \(green.sql) ALTER COLUMN \(name) SET STATISTICS \(target)")
            }
            if let options: String = try column.optional("options") {
                try connection.execute("ALTER TABLE \(green.sql) ALTER COLUMN \(name) SET (\(options))")
            }
            if let comment: String = try column.optional("comment") {
                try connection.execute("COMMENT ON COLUMN \(green.sql).\(name) IS \(Quoting.literal(comment))")
            }
        }
    }
}
