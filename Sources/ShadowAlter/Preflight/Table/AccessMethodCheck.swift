import PgConnection

/// The table is a heap: its rows can be copied by ranges of pages.
struct AccessMethodCheck: TableCheck {
    func findings(for table: InspectedTable, on connection: isolated PgConnection) throws -> [Finding] {
        let method: String = try connection.query(
            "SELECT a.amname FROM pg_catalog.pg_class c JOIN pg_catalog.pg_am a ON a.oid = c.relam WHERE c.oid = $1",
            [.int(table.oid)]
        ).single().value()
        guard method != "heap" else { return [] }
        return [
            Finding(
                Refusal(
                    code: "not-a-heap", object: table.name, what: "is stored by the access method \(method)",
                    why: "rows are copied by ranges of physical pages, which mean something for heap only",
                    fix:
                        "change it by ALTER TABLE, or store it as heap first (SET ACCESS METHOD heap, which rewrites it)"
                ))
        ]
    }
}
