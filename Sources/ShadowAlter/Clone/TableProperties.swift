import PgConnection

/// What LIKE leaves out of the table itself: storage parameters (also of its TOAST table), comments on it and on its row type, replica
/// identity, whether row-level security is on.
struct TableProperties {
    let sourceOID: UInt32
    let green: QualifiedName

    func copy(on connection: isolated PgConnection) throws {
        let row = try connection.query(
            """
            SELECT obj_description(c.oid, 'pg_class') AS comment,
                obj_description(c.reltype, 'pg_type') AS type_comment, c.relreplident::text AS identity,
                ARRAY(SELECT o FROM unnest(c.reloptions) o)
                    || ARRAY(SELECT 'toast.' || o FROM pg_class t, unnest(t.reloptions) o WHERE t.oid = c.reltoastrelid) AS options
            FROM pg_class c WHERE c.oid = $1
            """, [.int(sourceOID)]
        ).single()
        for option in try row.get("options", as: [String].self) {
            let parts = option.split(separator: "=", maxSplits: 1, omittingEmptySubsequences: false)
            guard parts.count == 2 else { continue }
            try connection.execute("ALTER TABLE \(green.sql) SET (\(parts[0]) = \(Quoting.literal(parts[1])))")
        }
        if let comment: String = try row.optional("comment") {
            try connection.execute("COMMENT ON TABLE \(green.sql) IS \(Quoting.literal(comment))")
        }
        if let comment: String = try row.optional("type_comment") {
            try connection.execute("COMMENT ON TYPE \(green.sql) IS \(Quoting.literal(comment))")
        }
        try copyRowSecurity(on: connection)
        switch try row.get("identity", as: String.self) {
        case "f": try connection.execute("ALTER TABLE \(green.sql) REPLICA IDENTITY FULL")
        case "n": try connection.execute("ALTER TABLE \(green.sql) REPLICA IDENTITY NOTHING")
        default: break  // The default, or an index's, which goes with the index.
        }
    }

    /// Whether its policies are obeyed. The policies themselves come later.
    func copyRowSecurity(on connection: isolated PgConnection) throws {
        let row = try connection.query(
            "SELECT relrowsecurity, relforcerowsecurity FROM pg_class WHERE oid = $1", [.int(sourceOID)]
        ).single()
        if try row.get("relrowsecurity") {
            try connection.execute("ALTER TABLE \(green.sql) ENABLE ROW LEVEL SECURITY")
        }
        if try row.get("relforcerowsecurity") {
            try connection.execute("ALTER TABLE \(green.sql) FORCE ROW LEVEL SECURITY")
        }
    }
}
