import PgConnection

/// The table is the user's and not PostgreSQL's, nor ours.
struct SystemTableCheck: TableCheck {
    func findings(for table: InspectedTable, on connection: isolated PgConnection) throws -> [Finding] {
        if table.schema == StateSchema.name {
            return [
                Finding(
                    Refusal(
                        code: "own-state-table", object: table.name, what: "is one of shadow-alter's own tables",
                        why: "migrations are remembered in it, this one too", fix: "name a table of the application's"))
            ]
        }
        // 16384 is FirstNormalObjectId in src/include/access/transam.h: what initdb has made lies below.
        let system: Set = ["pg_catalog", "information_schema", "pg_toast"]
        guard table.oid < 16_384 || system.contains(table.schema) else { return [] }
        return [
            Finding(
                Refusal(
                    code: "system-table", object: table.name, what: "is a table of PostgreSQL's own",
                    why: "PostgreSQL finds its catalogs by their place and form",
                    fix: "name a table of the application's"))
        ]
    }
}
