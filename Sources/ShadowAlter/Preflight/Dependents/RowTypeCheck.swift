import PgConnection

/// Nobody uses the table's row type, or the array of it, as the type of a column or in a type of their own.
///
/// The row type stays with the old table: values of other tables are stored in its form.
struct RowTypeCheck: TableCheck {
    func findings(for table: InspectedTable, on connection: isolated PgConnection) throws -> [Finding] {
        // The columns of views have types too; the views are refused as such.
        try table.query(
            TableFamily.with + """
                SELECT d.classid, d.objid, i.type || ' ' || i.identity AS user_of_it
                FROM dependent d
                JOIN family f ON f.classid = d.refclassid AND f.objid = d.refobjid
                    AND f.classid = 'pg_catalog.pg_type'::regclass
                LEFT JOIN pg_catalog.pg_class c ON c.oid = d.objid AND d.classid = 'pg_catalog.pg_class'::regclass
                CROSS JOIN LATERAL pg_catalog.pg_identify_object(d.classid, d.objid, d.objsubid) i
                WHERE c.relkind IN ('r', 'p', 'f', 'c') AND d.objsubid > 0
                    OR d.classid = 'pg_catalog.pg_type'::regclass AND d.objid NOT IN (
                        SELECT objid FROM family WHERE classid = 'pg_catalog.pg_type'::regclass)
                ORDER BY user_of_it
                """, on: connection
        ).map { row in
            let user: String = try row.get("user_of_it")
            return Finding(
                Refusal(
                    code: "row-type-used", object: table.name, what: "its row type is used by the \(user)",
                    why:
                        "the row type stays with the old table, and values stored in its form do not follow the new definition",
                    fix: "give that another type: a composite type made by CREATE TYPE, or jsonb"),
                covers: [try CatalogAddress(row)])
        }
    }
}
