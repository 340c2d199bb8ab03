import PgConnection

/// No expression of the table names the table itself by its OID, as `'orders'::regclass` does.
///
/// In the clone such a constant still means the old table.
struct SelfReferenceCheck: TableCheck {
    func findings(for table: InspectedTable, on connection: isolated PgConnection) throws -> [Finding] {
        // pg_depend does not tell: next to a column of the table it leaves the table out
        // (eliminate_duplicate_dependencies in src/backend/catalog/dependency.c). The deparsed text does, in which the
        // constant looks as regclass prints it.
        try table.query(
            """
            WITH expression AS (
                SELECT format('default or generation expression of the column %I', a.attname) AS holder,
                    pg_get_expr(e.adbin, e.adrelid) AS text
                FROM pg_catalog.pg_attrdef e
                JOIN pg_catalog.pg_attribute a ON a.attrelid = e.adrelid AND a.attnum = e.adnum
                WHERE e.adrelid = $1
                UNION ALL
                SELECT format('constraint %I', k.conname), pg_get_constraintdef(k.oid)
                FROM pg_catalog.pg_constraint k WHERE k.conrelid = $1 AND k.contype = 'c'
                UNION ALL
                SELECT format('index %s', i.indexrelid::regclass), pg_get_indexdef(i.indexrelid)
                FROM pg_catalog.pg_index i WHERE i.indrelid = $1
                UNION ALL
                SELECT format('statistics object %I', s.stxname), pg_get_statisticsobjdef(s.oid)
                FROM pg_catalog.pg_statistic_ext s WHERE s.stxrelid = $1)
            SELECT holder FROM expression
            WHERE strpos(text, ltrim(quote_literal($1::regclass::text)) || '::regclass') > 0 ORDER BY holder
            """, on: connection
        ).map { row in
            let holder: String = try row.get("holder")
            return Finding(
                Refusal(
                    code: "refers-to-itself", object: table.name, what: "its \(holder) names the table itself",
                    why: "in the new table it would still mean the old one, by its OID",
                    fix:
                        "drop it for the duration, and recreate it afterwards; or write '…'::text::regclass, which looks the "
                        + "name up at run time"))
        }
    }
}
