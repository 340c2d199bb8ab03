import PgConnection

/// The table that a name stands for, found by PostgreSQL's own rules: quoting, folding to lower case, `search_path`.
enum TableLookup {
    case found(UInt32)
    case refused(Refusal)

    static func resolve(_ name: String, on connection: isolated PgConnection) throws -> Self {
        do {
            let oid: UInt32? = try connection.query(
                "SELECT to_regclass($1)::pg_catalog.oid AS oid", [.text(name)]
            ).single().optional("oid")
            return try oid.map { .found($0) } ?? .refused(unknown(name, on: connection))
        } catch let error as PgError where !error.isConnectionLoss {
            // A name that cannot be parsed, another database's, or a schema that the role may not look into.
            return .refused(rejected(name, error))
        }
    }

    private static func rejected(_ name: String, _ error: PgError) -> Refusal {
        guard error.sqlState == .insufficientPrivilege else {
            return Refusal(
                code: "bad-table-name", object: name, what: "is not the name of a table: \(error.message)",
                why: "PostgreSQL cannot parse it",
                fix: "write TABLE or SCHEMA.TABLE as in SQL; double quotes around each part that is not lower case")
        }
        return Refusal(
            code: "no-schema-usage", object: name, what: "cannot be looked up: \(error.message)",
            why: "the role has no USAGE privilege on the schema",
            fix: "GRANT USAGE ON SCHEMA … TO CURRENT_USER;  -- by the schema's owner; or connect as the table's owner")
    }

    private static func unknown(_ name: String, on connection: isolated PgConnection) throws -> Refusal {
        let row = try connection.query(
            """
            WITH name AS (SELECT parse_ident($1) AS parts),
                parts AS (SELECT parts[cardinality(parts)] AS relation, parts[cardinality(parts) - 1] AS schema FROM name)
            SELECT p.schema, p.schema IS NULL OR EXISTS (
                    SELECT FROM pg_catalog.pg_namespace WHERE nspname = p.schema) AS schema_exists,
                current_setting('search_path') AS search_path, quote_ident(current_database()) AS database,
                (SELECT string_agg(format('%I.%I', n.nspname, c.relname), ', ' ORDER BY n.nspname, c.relname)
                    FROM pg_catalog.pg_class c JOIN pg_catalog.pg_namespace n ON n.oid = c.relnamespace
                    WHERE lower(c.relname) = lower(p.relation) AND c.relkind IN ('r', 'p')) AS similar
            FROM parts p
            """, [.text(name)]
        ).single()
        let schema: String? = try row.optional("schema")
        let similar: String? = try row.optional("similar")
        let database: String = try row.get("database")
        let fix =
            similar.map { "did you mean \($0)?" } ?? "look for it with \\d in psql, and check the database in --dsn"
        if let schema, try !row.get("schema_exists", as: Bool.self) {
            return Refusal(
                code: "no-such-schema", object: name, what: "there is no schema \(schema) in database \(database)",
                why: "there is nothing to migrate", fix: fix)
        }
        return Refusal(
            code: "no-such-table", object: name, what: "there is no such table in database \(database)",
            why: schema == nil
                ? "no schema of the search_path (\(try row.get("search_path", as: String.self))) has a relation of this name"
                : "the schema has no relation of this name",
            fix: fix)
    }
}
