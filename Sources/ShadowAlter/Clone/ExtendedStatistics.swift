import PgConnection

/// `CREATE STATISTICS` objects, under their own names in the green schema.
struct ExtendedStatistics {
    let sourceOID: UInt32
    let source: QualifiedName
    let green: QualifiedName

    func copy(on connection: isolated PgConnection) throws {
        let objects = try connection.query(
            """
            SELECT s.stxname, pg_get_statisticsobjdef(s.oid) AS definition,
                format('CREATE STATISTICS %I.%I ', n.nspname, s.stxname) AS head, ' FROM ' || s.stxrelid::regclass::text AS tail,
                nullif(s.stxstattarget, -1) AS target,
                CASE WHEN s.stxowner <> current_user::regrole THEN pg_get_userbyid(s.stxowner) END AS owner, obj_description(s.oid, 'pg_statistic_ext') AS comment
            FROM pg_statistic_ext s JOIN pg_namespace n ON n.oid = s.stxnamespace WHERE s.stxrelid = $1 ORDER BY s.oid
            """, [.int(sourceOID)])
        for object in objects.rows {
            let definition: String = try object.get("definition")
            let head: String = try object.get("head")
            let tail: String = try object.get("tail")
            let name = QualifiedName(schema: green.schema, name: try object.get("stxname"))
            guard definition.hasPrefix(head), definition.hasSuffix(tail) else {
                throw MigrationError(
                    .inconsistent, "the definition of statistics \(name.name) is not as expected: \(definition)",
                    state: "nothing was changed", advice: "this is a bug: please report it with the server's version")
            }
            let body = definition.dropFirst(head.count).dropLast(tail.count)
            try connection.execute("CREATE STATISTICS \(name.sql) \(body) FROM \(green.sql)")
            if let target: Int = try object.optional("target") {
                try connection.execute("ALTER STATISTICS \(name.sql) SET STATISTICS \(target)")
            }
            // It does not follow its table's owner.
            if let owner: String = try object.optional("owner") {
                try connection.execute(
                    "GRANT CREATE ON SCHEMA \(Quoting.identifier(green.schema)) TO \(Quoting.identifier(owner))")
                try connection.execute("ALTER STATISTICS \(name.sql) OWNER TO \(Quoting.identifier(owner))")
            }
            if let comment: String = try object.optional("comment") {
                try connection.execute("COMMENT ON STATISTICS \(name.sql) IS \(Quoting.literal(comment))")
            }
        }
    }
}
