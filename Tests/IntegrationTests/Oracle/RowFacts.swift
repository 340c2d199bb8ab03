import PgConnection

/// The rows of tables, what views show, and where sequences stand.
enum RowFacts {
    static func read(on connection: isolated PgConnection) throws -> SchemaDescription {
        var found = SchemaDescription()
        let relations = try connection.query(
            """
            SELECT \(ObjectNames.sql(of: "pg_class", "c.oid")) AS object, c.relkind::text AS kind, format('%I.%I', n.nspname, c.relname) AS name
            FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace
            WHERE c.oid >= 16384 AND c.relkind IN ('r', 'v', 'm', 'S') AND n.nspname !~ '^pg_'
            """)
        for relation in relations.rows {
            let name: String = try relation.get("name")
            let isSequence = try relation.get("kind", as: String.self) == "S"
            let rows =
                isSequence
                ? "SELECT concat_ws(' ', last_value, is_called) FROM \(name)"
                // The whole row; an alias that is no column's name.
                : "SELECT \"the whole row\"::text FROM \(try relation.get("kind") == "r" ? "ONLY " : "")\(name) AS \"the whole row\" ORDER BY 1"
            let object: String = try relation.get("object")
            let values = try read(rows, on: connection)
            for value in values.isEmpty ? ["none"] : values { found.add("rows", object, "", value) }
        }
        return found
    }

    /// A materialised view that is not populated cannot be read, and what reads it cannot either: the message is the fact.
    private static func read(_ sql: String, on connection: isolated PgConnection) throws -> [String] {
        try connection.execute("SAVEPOINT rows")
        do {
            let rows = try connection.query(sql).rows.map { $0.text(0) ?? "NULL" }
            try connection.execute("RELEASE rows")
            return rows
        } catch let error as PgError {
            try connection.execute("ROLLBACK TO rows; RELEASE rows")
            return ["cannot be read: \(error.message)"]
        }
    }
}
