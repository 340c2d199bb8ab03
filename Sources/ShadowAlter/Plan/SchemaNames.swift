import PgConnection

/// The schemas of a migration's new and old tables.
struct SchemaNames {
    let green: String
    let blue: String

    /// Throws `Refused` when one exists or does not fit PostgreSQL's 63 bytes.
    init(migration: String, on connection: isolated PgConnection) throws {
        green = migration + "_green"
        blue = migration + "_blue"
        guard green.utf8.count <= 63 else {
            throw Refused([
                Refusal(
                    code: "name-too-long", object: migration, what: "the schema \(green) would have more than 63 bytes",
                    why: "PostgreSQL would cut its name", fix: "give the migration a shorter name: --name NAME")
            ])
        }
        let taken = try connection.query(
            "SELECT nspname FROM pg_namespace WHERE nspname IN ($1, $2) ORDER BY 1", [.text(green), .text(blue)])
        if let schema: String = try taken.first?.value() {
            throw Refused([
                Refusal(
                    code: "schema-exists", object: schema, what: "the schema exists already",
                    why: "the migration needs it for itself, and what is in there may be somebody's",
                    fix: "give the migration another name (--name NAME), finalize an earlier one, or drop the schema")
            ])
        }
    }

    func create(on connection: isolated PgConnection) throws {
        try connection.execute(
            "CREATE SCHEMA \(Quoting.identifier(green)); CREATE SCHEMA \(Quoting.identifier(blue))")
    }
}
