import PgConnection

/// No table at the other end of a foreign key is being migrated by somebody else.
///
/// Each of the two cut-overs would make the foreign key anew, and the one that comes second would find another one than it was planned for.
struct ForeignKeyNeighbourCheck: TableCheck {
    func findings(for table: InspectedTable, on connection: isolated PgConnection) throws -> [Finding] {
        // What OtherMigrationCheck cannot read it refuses.
        let readable: Bool = try connection.query(
            """
            SELECT coalesce((SELECT has_schema_privilege(n.oid, 'USAGE') FROM pg_catalog.pg_namespace n WHERE n.nspname = 'shadow_alter'), false)
                AND 2 = (SELECT count(*) FROM pg_catalog.pg_class c JOIN pg_catalog.pg_namespace n ON n.oid = c.relnamespace
                    WHERE n.nspname = 'shadow_alter' AND c.relname IN ('migration', 'migrated_table')
                        AND has_table_privilege(c.oid, 'SELECT'))
            """
        ).single().value()
        guard readable else { return [] }
        return try connection.query(
            """
            SELECT DISTINCT m.name, m.phase, format('%I.%I', n.nspname, c.relname) AS neighbour
            FROM shadow_alter.migration m
            JOIN shadow_alter.migrated_table t ON t.migration_id = m.id AND t.source_oid <> $1
            JOIN pg_catalog.pg_constraint k ON t.source_oid IN (k.conrelid, k.confrelid)
            JOIN pg_catalog.pg_class c ON c.oid = t.source_oid JOIN pg_catalog.pg_namespace n ON n.oid = c.relnamespace
            WHERE m.phase NOT IN ('baking', 'done') AND m.name <> $2 AND k.contype = 'f' AND $1 IN (k.conrelid, k.confrelid) ORDER BY neighbour, m.name
            """, [.int(table.oid), .text(table.migration)]
        ).rows.map { row in
            let name: String = try row.get("name")
            let phase: String = try row.get("phase")
            let neighbour: String = try row.get("neighbour")
            return Finding(
                Refusal(
                    code: "neighbour-migrating", object: table.name,
                    what:
                        "a foreign key connects it with \(neighbour), which the migration \(name) is changing (phase \(phase))",
                    why:
                        "the foreign key would be made anew by both, and the second would find another one than it was planned for",
                    fix: "let that one finish, or put both tables into one --script"))
        }
    }
}
