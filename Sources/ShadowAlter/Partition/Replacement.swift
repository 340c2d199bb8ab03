import PgConnection

/// A table that a script has made in the place of another one's clone: what it has from the old table, and what it has not.
struct Replacement: Sendable {
    let source: QualifiedName
    let sourceOID: UInt32
    let green: QualifiedName
    let greenOID: UInt32

    init(_ clone: ClonedTable) {
        source = clone.source
        sourceOID = clone.sourceOID
        green = clone.green
        greenOID = clone.greenOID
    }

    /// Owner, privileges, comments, row-level security and the names of sequences. Called as soon as the table is there, so that the script can still say
    /// otherwise.
    func takeOver(on connection: isolated PgConnection) throws {
        try ArrayTypeName(sourceOID: sourceOID, green: green).copy(to: greenOID, on: connection)
        try renameSequences(on: connection)
        let comments = try connection.query(
            """
            SELECT a.attname, d.description FROM pg_description d LEFT JOIN pg_attribute a ON a.attrelid = d.objoid AND a.attnum = d.objsubid
            WHERE d.classoid = 'pg_class'::regclass AND d.objoid = $1::oid AND (d.objsubid = 0 OR EXISTS (
                SELECT FROM pg_attribute g WHERE g.attrelid = $2::oid AND g.attname = a.attname AND NOT g.attisdropped))
            ORDER BY d.objsubid
            """, [.int(sourceOID), .int(greenOID)])
        for comment in comments.rows {
            let column: String? = try comment.optional("attname")
            let object = column.map { "COLUMN \(green.sql).\(Quoting.identifier($0))" } ?? "TABLE \(green.sql)"
            let text: String = try comment.get("description")
            try connection.execute("COMMENT ON \(object) IS \(Quoting.literal(text))")
        }
        try TableProperties(sourceOID: sourceOID, green: green).copyRowSecurity(on: connection)
        try giveOwner(to: green, on: connection)
        try Privileges(sourceOID: sourceOID, greenOID: greenOID).copy(on: connection)
    }

    /// The old table's owner, to the new one or a partition of it.
    func giveOwner(to table: QualifiedName, on connection: isolated PgConnection) throws {
        let row = try connection.query(
            """
            SELECT quote_ident(pg_get_userbyid(relowner)) AS owner, pg_get_userbyid(relowner) = current_user AS is_ours
            FROM pg_class WHERE oid = $1
            """, [.int(sourceOID)]
        ).single()
        guard try !row.get("is_ours", as: Bool.self) else { return }
        let owner: String = try row.get("owner")
        try connection.execute("GRANT USAGE, CREATE ON SCHEMA \(Quoting.identifier(green.schema)) TO \(owner)")
        try connection.execute("ALTER TABLE \(table.sql) OWNER TO \(owner)")
    }

    /// A column's own sequence goes on under the name that the old column's has.
    private func renameSequences(on connection: isolated PgConnection) throws {
        let pairs = try connection.query(
            """
            WITH owned AS (
                SELECT d.refobjid AS relation, a.attname, s.relname
                FROM pg_depend d JOIN pg_class s ON s.oid = d.objid AND s.relkind = 'S'
                JOIN pg_attribute a ON a.attrelid = d.refobjid AND a.attnum = d.refobjsubid
                WHERE d.classid = 'pg_class'::regclass AND d.refclassid = 'pg_class'::regclass AND d.deptype IN ('a', 'i')
                  AND d.refobjid IN ($1::oid, $2::oid))
            SELECT old.relname AS wanted, new.relname AS present FROM owned old JOIN owned new USING (attname)
            WHERE old.relation = $1::oid AND new.relation = $2::oid AND old.relname <> new.relname ORDER BY 1
            """, [.int(sourceOID), .int(greenOID)])
        for pair in pairs.rows {
            let present = QualifiedName(schema: green.schema, name: try pair.get("present"))
            let wanted = Quoting.identifier(try pair.get("wanted", as: String.self))
            try connection.execute("ALTER SEQUENCE \(present.sql) RENAME TO \(wanted)")
        }
    }

    /// What the old table has and the new one has not, for a person to read: the script has decided so.
    func losses(on connection: isolated PgConnection) throws -> [String] {
        try connection.query(
            """
            WITH old AS (SELECT $1::oid AS oid), new AS (SELECT $2::oid AS oid),
            shared AS (
                SELECT a.attnum AS old, b.attnum AS new, a.attname FROM pg_attribute a JOIN pg_attribute b ON b.attname = a.attname
                WHERE a.attrelid = $1::oid AND b.attrelid = $2::oid AND a.attnum > 0 AND b.attnum > 0 AND NOT a.attisdropped
                    AND NOT b.attisdropped),
            thing AS (
                SELECT a.attrelid AS oid, 1 AS rank, 'column ' || quote_ident(a.attname) AS text, '' AS detail
                FROM pg_attribute a WHERE a.attrelid IN ($1::oid, $2::oid) AND a.attnum > 0 AND NOT a.attisdropped
                UNION ALL
                SELECT a.attrelid, 2, 'NOT NULL of column ' || quote_ident(a.attname), ''
                FROM pg_attribute a JOIN shared s USING (attname) WHERE a.attrelid IN ($1::oid, $2::oid) AND a.attnotnull
                UNION ALL
                SELECT a.attrelid, 3, 'default of column ' || quote_ident(a.attname), pg_get_expr(d.adbin, d.adrelid)
                FROM pg_attrdef d JOIN pg_attribute a ON a.attrelid = d.adrelid AND a.attnum = d.adnum JOIN shared s USING (attname)
                WHERE a.attrelid IN ($1::oid, $2::oid) AND a.attgenerated = ''
                UNION ALL
                SELECT k.conrelid, 4, 'constraint', pg_get_constraintdef(k.oid) FROM pg_constraint k
                WHERE k.conrelid IN ($1::oid, $2::oid) AND k.contype IN ('c', 'p', 'u', 'x')
                UNION ALL
                SELECT i.indrelid, 5, 'index', CASE WHEN i.indisunique THEN 'UNIQUE ' ELSE '' END
                    || regexp_replace(pg_get_indexdef(i.indexrelid), '^.*? USING ', 'USING ')
                FROM pg_index i WHERE i.indrelid IN ($1::oid, $2::oid)
                    AND NOT EXISTS (SELECT FROM pg_constraint k WHERE k.conindid = i.indexrelid AND k.conrelid = i.indrelid)
                UNION ALL
                SELECT s.stxrelid, 6, 'statistics', quote_ident(s.stxname) FROM pg_statistic_ext s WHERE s.stxrelid IN ($1::oid, $2::oid)
                UNION ALL
                SELECT c.oid, 7, 'storage parameter', o FROM pg_class c, unnest(c.reloptions) o WHERE c.oid IN ($1::oid, $2::oid))
            SELECT t.text || CASE WHEN t.detail = '' THEN '' ELSE ' ' || t.detail END AS loss
            FROM thing t WHERE t.oid = $1::oid AND NOT EXISTS (
                SELECT FROM thing n WHERE n.oid = $2::oid AND n.text = t.text AND n.detail = t.detail)
            ORDER BY t.rank, loss
            """, [.int(sourceOID), .int(greenOID)]
        ).rows.map { row in
            "the new \(source.name) does not have the old one's \(try row.get("loss", as: String.self))"
        }
    }
}
