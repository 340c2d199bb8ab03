import PgConnection

/// The triggers behind deferrable constraints are in their usual state, as the new table's will be (those behind foreign keys are
/// `ForeignKeyRefusals`'), and no trigger of another table refers to it.
struct TriggerCheck: TableCheck {
    func findings(for table: InspectedTable, on connection: isolated PgConnection) throws -> [Finding] {
        try silenced(table, on: connection) + elsewhere(table, on: connection)
    }

    private func silenced(_ table: InspectedTable, on connection: isolated PgConnection) throws -> [Finding] {
        try table.query(
            """
            SELECT DISTINCT quote_ident(k.conname) AS name
            FROM pg_catalog.pg_trigger t JOIN pg_catalog.pg_constraint k ON k.oid = t.tgconstraint
            WHERE t.tgrelid = $1 AND t.tgisinternal AND k.contype IN ('p', 'u', 'x') AND t.tgenabled <> 'O' ORDER BY name
            """, on: connection
        ).map { row in
            let name: String = try row.get("name")
            return Finding(
                Refusal(
                    code: "constraint-disabled", object: table.name,
                    what: "the trigger that checks its deferrable constraint \(name) is not enabled as usual",
                    why: "it would be after the swap, and the constraint would be checked",
                    fix: "ALTER TABLE \(table.name) ENABLE TRIGGER ALL;  -- it reaches all other triggers, too"))
        }
    }

    /// `CREATE CONSTRAINT TRIGGER … FROM` this table.
    private func elsewhere(_ table: InspectedTable, on connection: isolated PgConnection) throws -> [Finding] {
        try table.query(
            """
            SELECT 'pg_catalog.pg_trigger'::regclass::oid AS classid, t.oid AS objid, quote_ident(t.tgname) AS name,
                format('%I.%I', n.nspname, c.relname) AS holder
            FROM pg_catalog.pg_trigger t JOIN pg_catalog.pg_class c ON c.oid = t.tgrelid
            JOIN pg_catalog.pg_namespace n ON n.oid = c.relnamespace
            WHERE t.tgconstrrelid = $1 AND t.tgrelid <> $1 AND NOT t.tgisinternal ORDER BY holder, t.tgname
            """, on: connection
        ).map { row in
            let name: String = try row.get("name")
            let holder: String = try row.get("holder")
            return Finding(
                .notCarriedOver(
                    code: "trigger-elsewhere", object: table.name,
                    what: "the constraint trigger \(name) of \(holder) is said to be FROM it",
                    these: "constraint triggers of other tables", remove: "DROP TRIGGER \(name) ON \(holder)"),
                covers: [try CatalogAddress(row)])
        }
    }
}
