import PgConnection

/// Every index of the table is complete.
struct InvalidIndexCheck: TableCheck {
    func findings(for table: InspectedTable, on connection: isolated PgConnection) throws -> [Finding] {
        try table.query(
            """
            SELECT format('%I.%I', n.nspname, c.relname) AS name
            FROM pg_catalog.pg_index i
            JOIN pg_catalog.pg_class c ON c.oid = i.indexrelid JOIN pg_catalog.pg_namespace n ON n.oid = c.relnamespace
            WHERE i.indrelid = $1 AND NOT (i.indisvalid AND i.indisready AND i.indislive) ORDER BY 1
            """, on: connection
        ).map { row in
            let index: String = try row.get("name")
            return Finding(
                Refusal(
                    code: "invalid-index", object: index, what: "is an invalid index of \(table.name)",
                    why:
                        "a CREATE or REINDEX INDEX CONCURRENTLY failed, or is still running; the new table's would be valid, "
                        + "which may be impossible (duplicates) or not wanted",
                    fix: "DROP INDEX CONCURRENTLY \(index);  -- or REINDEX INDEX CONCURRENTLY \(index);"))
        }
    }
}
