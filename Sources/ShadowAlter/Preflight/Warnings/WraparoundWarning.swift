import PgConnection

/// A vacuum against wraparound never yields to our request for the lock.
///
/// The age decides, and not what runs now: who is no member of `pg_read_all_stats` sees no other role's activity, and
/// such a vacuum begins at any moment once the table is old enough (src/backend/postmaster/autovacuum.c,
/// relation_needs_vacanalyze).
struct WraparoundWarning: TableWarning {
    func warnings(for table: InspectedTable, on connection: isolated PgConnection) throws -> [String] {
        let row = try connection.query(
            """
            WITH option AS (SELECT o.option_name AS name, o.option_value::bigint AS value
                FROM pg_catalog.pg_class c CROSS JOIN LATERAL pg_catalog.pg_options_to_table(c.reloptions) o
                WHERE c.oid = $1 AND o.option_name IN (
                    'autovacuum_freeze_max_age', 'autovacuum_multixact_freeze_max_age')),
            setting AS (SELECT s.name, least(current_setting(s.name)::bigint,
                    (SELECT value FROM option o WHERE o.name = s.name)) AS value
                FROM (VALUES ('autovacuum_freeze_max_age'), ('autovacuum_multixact_freeze_max_age')) s (name))
            SELECT age(c.relfrozenxid) > (SELECT value FROM setting WHERE name = 'autovacuum_freeze_max_age')
                OR mxid_age(c.relminmxid) > (SELECT value FROM setting WHERE name = 'autovacuum_multixact_freeze_max_age')
                AS is_due,
                (SELECT p.pid FROM pg_catalog.pg_stat_progress_vacuum p JOIN pg_catalog.pg_stat_activity a USING (pid)
                    WHERE p.relid = c.oid AND a.query LIKE '%(to prevent wraparound)%' LIMIT 1) AS pid
            FROM pg_catalog.pg_class c WHERE c.oid = $1
            """, [.int(table.oid)]
        ).single()
        let pid: Int32? = try row.optional("pid")
        guard try row.get("is_due") || pid != nil else { return [] }
        let now = pid.map { "an autovacuum to prevent wraparound runs on \(table.name) now (process \($0))" }
        return [
            (now ?? "\(table.name) is due for an autovacuum to prevent wraparound, which begins at any moment")
                + "; it does not yield, so that the cut-over has to wait for its end; VACUUM (FREEZE) \(table.name); beforehand "
                + "avoids that"
        ]
    }
}
