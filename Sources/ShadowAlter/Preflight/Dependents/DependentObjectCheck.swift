import PgConnection

/// The net below all other checks: whatever depends on the table, is no part of it, and was not reported by another
/// check.
///
/// What a version of PostgreSQL invents, or what nobody thought of, is refused here and not lost.
struct DependentObjectCheck: TableCheck {
    /// What other checks have reported.
    let known: Set<CatalogAddress>

    func findings(for table: InspectedTable, on connection: isolated PgConnection) throws -> [Finding] {
        // Part of the table are its indexes, TOAST table, owned sequences, types, constraints, defaults and statistics.
        // Every foreign key from or to it is ForeignKeyCheck's, with one constraint and several triggers per partition;
        // the triggers of constraints come and go with these. Publications are PublicationReader's. Views, rules and
        // functions are QueryReader's. Partitions with what belongs to them are exchanged together with a
        // partitioned table.
        try table.query(
            TableFamily.with + """
                , tree AS (
                    -- Without what is being detached, which TreeCheck has reported.
                    SELECT relid FROM pg_partition_tree($1)
                    UNION ALL SELECT inhrelid FROM pg_catalog.pg_inherits WHERE inhdetachpending)
                SELECT DISTINCT d.classid, d.objid, pg_describe_object(d.classid, d.objid, 0) AS description
                FROM dependent d
                WHERE NOT CASE d.classid
                    WHEN 'pg_catalog.pg_class'::regclass THEN
                        (d.classid, d.objid) IN (SELECT classid, objid FROM family) OR d.objid IN (SELECT relid FROM tree)
                        OR d.objid IN (SELECT i.indexrelid FROM pg_catalog.pg_index i JOIN tree ON tree.relid = i.indrelid)
                        OR d.objid = (SELECT reltoastrelid FROM pg_catalog.pg_class WHERE oid = $1)
                        OR EXISTS (SELECT FROM pg_catalog.pg_class v WHERE v.oid = d.objid AND v.relkind IN ('v', 'm'))
                    WHEN 'pg_catalog.pg_rewrite'::regclass THEN
                        EXISTS (SELECT FROM pg_catalog.pg_rewrite r JOIN pg_catalog.pg_class v ON v.oid = r.ev_class
                            WHERE r.oid = d.objid AND (r.rulename <> '_RETURN' OR v.relkind IN ('v', 'm')))
                    WHEN 'pg_catalog.pg_proc'::regclass THEN true
                    WHEN 'pg_catalog.pg_type'::regclass THEN
                        (d.classid, d.objid) IN (SELECT classid, objid FROM family)
                    WHEN 'pg_catalog.pg_constraint'::regclass THEN
                        EXISTS (SELECT FROM pg_catalog.pg_constraint k
                            WHERE k.oid = d.objid AND (k.conrelid = $1 OR k.contype = 'f' OR k.conrelid IN (SELECT relid FROM tree)))
                    WHEN 'pg_catalog.pg_attrdef'::regclass THEN
                        EXISTS (SELECT FROM pg_catalog.pg_attrdef e WHERE e.oid = d.objid AND (e.adrelid = $1 OR e.adrelid IN (SELECT relid FROM tree)))
                    WHEN 'pg_catalog.pg_trigger'::regclass THEN
                        EXISTS (SELECT FROM pg_catalog.pg_trigger t
                            WHERE t.oid = d.objid AND (t.tgrelid = $1 OR t.tgisinternal AND t.tgconstraint <> 0 OR t.tgparentid <> 0))
                    -- Those of other tables are PolicyReader's.
                    WHEN 'pg_catalog.pg_policy'::regclass THEN
                        d.refclassid = 'pg_catalog.pg_type'::regclass
                        OR d.refclassid = 'pg_catalog.pg_class'::regclass AND d.refobjid = $1
                    WHEN 'pg_catalog.pg_statistic_ext'::regclass THEN
                        EXISTS (SELECT FROM pg_catalog.pg_statistic_ext s WHERE s.oid = d.objid AND s.stxrelid = $1)
                    WHEN 'pg_catalog.pg_publication_rel'::regclass THEN
                        EXISTS (SELECT FROM pg_catalog.pg_publication_rel r WHERE r.oid = d.objid AND r.prrelid = $1)
                    ELSE false END
                AND NOT (\(TableFamily.isPartOfDependent))
                ORDER BY description
                """, on: connection
        ).compactMap { row in
            guard try !known.contains(CatalogAddress(row)) else { return nil }
            let description: String = try row.get("description")
            return Finding(
                Refusal(
                    code: "dependent-object", object: table.name, what: "the \(description) depends on it",
                    why: "it refers to the table by its OID, and would be left with the old table after the swap",
                    fix: "drop it for the duration, and recreate it afterwards"))
        }
    }
}
