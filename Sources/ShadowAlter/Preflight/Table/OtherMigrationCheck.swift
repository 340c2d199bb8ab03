import PgConnection

/// No other migration is at work on the table.
struct OtherMigrationCheck: TableCheck {
    func findings(for table: InspectedTable, on connection: isolated PgConnection) throws -> [Finding] {
        // By the catalogs: to_regclass fails for a schema that the role may not use.
        let state = try connection.query(
            """
            SELECT has_schema_privilege(n.oid, 'USAGE')
                AND (SELECT bool_and(has_table_privilege(c.oid, 'SELECT')) FROM pg_catalog.pg_class c
                    WHERE c.relnamespace = n.oid AND c.relname IN ('migration', 'migrated_table')) AS readable
            FROM pg_catalog.pg_namespace n WHERE n.nspname = 'shadow_alter' AND 2 = (
                SELECT count(*) FROM pg_catalog.pg_class c
                WHERE c.relnamespace = n.oid AND c.relname IN ('migration', 'migrated_table'))
            """
        ).first
        guard let state else { return [] }
        guard try state.get("readable") else { return [unreadable(table)] }
        // After the swap the shadow is the live table, and may be migrated again, unless the old one still follows it; otherwise that is only kept.
        return try connection.query(
            """
            SELECT m.name, m.phase, t.source_oid = $1 AND w.forward_id IS NULL AS is_source, w.forward_id IS NOT NULL AS is_followed,
                m.phase IN ('baking', 'done') AS swapped
            FROM shadow_alter.migration w JOIN shadow_alter.migrated_table t ON t.migration_id = w.id
            JOIN shadow_alter.migration m ON m.id = coalesce(w.forward_id, w.id)
            WHERE m.name <> $2 AND (t.source_oid = $1 AND (w.forward_id IS NULL OR m.phase = 'baking')
                OR t.green_oid = $1 AND w.forward_id IS NULL AND m.phase NOT IN ('baking', 'done'))
            ORDER BY m.id
            """, [.int(table.oid), .text(table.migration)]
        ).rows.map { row in
            let name: String = try row.get("name")
            let phase: String = try row.get("phase")
            let swapped: Bool = try row.get("swapped")
            let isSource: Bool = try row.get("is_source")
            let isFollowed: Bool = try row.get("is_followed")
            let role =
                isFollowed
                ? "the new table" : isSource ? (swapped ? "the old table" : "the live table") : "the new table"
            return Finding(
                Refusal(
                    code: "other-migration", object: table.name,
                    what: "is \(role) of the migration \(name), which is in the phase \(phase)",
                    why: "two migrations of one table would exchange it under each other's feet",
                    fix: swapped
                        ? "shadow-alter finalize \(ShellWord.quoted(name))   # when the old table is needed no more"
                        : "let it finish, or end it: shadow-alter abort \(ShellWord.quoted(name))"))
        }
    }

    private func unreadable(_ table: InspectedTable) -> Finding {
        Finding(
            Refusal(
                code: "state-unreadable", object: "schema shadow_alter",
                what: "holds migrations of another role, and this role may not read them",
                why: "whether \(table.name) is being migrated already cannot be known",
                fix: "connect as the role that owns the schema shadow_alter, or as a superuser"))
    }
}
