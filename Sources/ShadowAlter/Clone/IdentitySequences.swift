import PgConnection

/// The sequences behind `GENERATED … AS IDENTITY`: the clone has its own, with the source's options, and gets the source's names.
struct IdentitySequences {
    let sourceOID: UInt32
    let greenOID: UInt32

    func rename(on connection: isolated PgConnection) throws {
        let pairs = try connection.query(
            """
            WITH owned AS (
                SELECT d.refobjid AS relation, a.attname, s.oid, n.nspname, s.relname
                FROM pg_depend d JOIN pg_class s ON s.oid = d.objid AND s.relkind = 'S' JOIN pg_namespace n ON n.oid = s.relnamespace
                JOIN pg_attribute a ON a.attrelid = d.refobjid AND a.attnum = d.refobjsubid
                WHERE d.classid = 'pg_class'::regclass AND d.refclassid = 'pg_class'::regclass AND d.deptype = 'i'
                  AND d.refobjid IN ($1::oid, $2::oid))
            SELECT old.relname AS wanted, new.relname AS present, new.nspname, obj_description(old.oid, 'pg_class') AS comment,
                format('AS %s INCREMENT BY %s MINVALUE %s MAXVALUE %s START WITH %s CACHE %s %s', format_type(q.seqtypid, NULL), q.seqincrement,
                    q.seqmin, q.seqmax, q.seqstart, q.seqcache, CASE WHEN q.seqcycle THEN 'CYCLE' ELSE 'NO CYCLE' END) AS options
            FROM owned old JOIN owned new ON new.attname = old.attname JOIN pg_sequence q ON q.seqrelid = old.oid
            WHERE old.relation = $1::oid AND new.relation = $2::oid
            """, [.int(sourceOID), .int(greenOID)])
        for pair in pairs.rows {
            let schema: String = try pair.get("nspname")
            let present = QualifiedName(schema: schema, name: try pair.get("present"))
            let wanted = QualifiedName(schema: schema, name: try pair.get("wanted"))
            if present != wanted {
                try connection.execute("ALTER SEQUENCE \(present.sql) RENAME TO \(Quoting.identifier(wanted.name))")
            }
            // LIKE leaves the type out: a sequence of an integer column would be a bigint one that ends where integer ends, and a later change
            // of the column's type would not move that end.
            try connection.execute(
                "ALTER SEQUENCE \(wanted.sql) \(try pair.get("options", as: String.self)) RESTART")
            if let comment: String = try pair.optional("comment") {
                try connection.execute("COMMENT ON SEQUENCE \(wanted.sql) IS \(Quoting.literal(comment))")
            }
        }
    }
}
