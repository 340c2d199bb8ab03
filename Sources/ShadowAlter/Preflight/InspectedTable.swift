import PgConnection

/// The table that the checks look at, as `pg_class` describes it.
struct InspectedTable: Sendable {
    let oid: UInt32
    /// Schema and name, quoted where they need it: as a person types it, and ready for a statement.
    let name: String
    let schemaOID: UInt32
    /// The schema, quoted where it needs it.
    let schema: String
    /// `pg_class.relkind`
    let kind: String
    /// `pg_class.relpersistence`
    let persistence: String
    /// The name of the migration that is to be started.
    let migration: String
    /// The publications of all tables or of a schema that the operator lets through (`--allow-publication`).
    var allowedPublications: [String] = []

    /// nil when there is no such relation.
    static func read(
        _ oid: UInt32, migration: String? = nil, on connection: isolated PgConnection
    ) throws -> Self? {
        try connection.query(
            """
            SELECT format('%I.%I', n.nspname, c.relname) AS name, n.oid AS schema_oid, quote_ident(n.nspname) AS schema,
                c.relkind, c.relpersistence, c.relname
            FROM pg_catalog.pg_class c JOIN pg_catalog.pg_namespace n ON n.oid = c.relnamespace WHERE c.oid = $1
            """, [.int(oid)]
        ).first.map { row in
            Self(
                oid: oid, name: try row.get("name"), schemaOID: try row.get("schema_oid"),
                schema: try row.get("schema"),
                kind: try row.get("relkind"), persistence: try row.get("relpersistence"),
                migration: try migration ?? row.get("relname"))
        }
    }

    /// Runs a query whose only parameter is the table's OID.
    func query(_ sql: String, on connection: isolated PgConnection) throws -> [PgRow] {
        Array(try connection.query(sql, [.int(oid)]).rows)
    }

    /// Whether the query, whose only parameter is the table's OID, says so in its only row's only column.
    func holds(_ sql: String, on connection: isolated PgConnection) throws -> Bool {
        try connection.query(sql, [.int(oid)]).single().value()
    }
}
