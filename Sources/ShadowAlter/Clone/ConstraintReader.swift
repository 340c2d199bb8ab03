import PgConnection

/// A CHECK or NOT NULL constraint, as `pg_get_constraintdef` prints it.
struct TableConstraint: Sendable, Equatable {
    var name: String
    var definition: String
    var comment: String?

    func add(to table: QualifiedName) -> String {
        var sql = "ALTER TABLE \(table.sql) ADD CONSTRAINT \(Quoting.identifier(name)) \(definition)"
        if let comment {
            sql += "; COMMENT ON CONSTRAINT \(Quoting.identifier(name)) ON \(table.sql) IS \(Quoting.literal(comment))"
        }
        return sql
    }

    func drop(from table: QualifiedName) -> String {
        "ALTER TABLE \(table.sql) DROP CONSTRAINT \(Quoting.identifier(name))"
    }
}

enum ConstraintReader {
    /// All CHECK constraints. NOT NULL ones come with the columns: LIKE copies them, on PostgreSQL 18 under their names.
    static func checks(of oid: UInt32, on connection: isolated PgConnection) throws -> [TableConstraint] {
        try read(oid, "contype = 'c'", on: connection)
    }

    /// The NOT NULL constraints of PostgreSQL 18 that LIKE does not copy as they are: not valid ones become valid, comments are left out.
    static func unlike(_ oid: UInt32, on connection: isolated PgConnection) throws -> [TableConstraint] {
        try read(
            oid, "contype = 'n' AND (NOT convalidated OR obj_description(oid, 'pg_constraint') IS NOT NULL)",
            on: connection)
    }

    /// Those that hold for new rows only: rows that are copied must not be asked.
    static func notValid(of oid: UInt32, on connection: isolated PgConnection) throws -> [TableConstraint] {
        // A partition's come with its partitioned table's.
        try read(oid, "contype IN ('c', 'n') AND NOT convalidated AND coninhcount = 0", on: connection)
    }

    private static func read(
        _ oid: UInt32, _ condition: String, on connection: isolated PgConnection
    ) throws -> [TableConstraint] {
        try connection.query(
            """
            SELECT conname, pg_get_constraintdef(oid) AS definition, obj_description(oid, 'pg_constraint') AS comment
            FROM pg_constraint WHERE conrelid = $1 AND \(condition) ORDER BY conname
            """, [.int(oid)]
        ).rows.map {
            TableConstraint(
                name: try $0.get("conname"), definition: try $0.get("definition"), comment: try $0.optional("comment"))
        }
    }
}
