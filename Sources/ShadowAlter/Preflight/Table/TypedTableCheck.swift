import PgConnection

/// The table's columns are its own and not a type's (`CREATE TABLE … OF`).
struct TypedTableCheck: TableCheck {
    func findings(for table: InspectedTable, on connection: isolated PgConnection) throws -> [Finding] {
        try table.query(
            """
            SELECT format_type(c.reloftype, NULL) AS type FROM pg_catalog.pg_class c WHERE c.oid = $1 AND c.reloftype <> 0
            """, on: connection
        ).map { row in
            let type: String = try row.get("type")
            return Finding(
                .notCarriedOver(
                    code: "typed-table", object: table.name, what: "is a table OF the type \(type)", these: "this tie",
                    remove: "ALTER TABLE \(table.name) NOT OF"))
        }
    }
}
