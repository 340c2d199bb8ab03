/// The objects that are part of a table, or come and go with it: whoever depends on one of them depends on the table.
enum TableFamily {
    /// The head of a query with the table's OID as `$1`: the CTEs `family` (the table, its row type and the array of
    /// it, its indexes, constraints and owned sequences) and `dependent` (every entry of pg_depend that refers to one
    /// of them).
    static let with = """
        WITH RECURSIVE owned_sequence AS (
            SELECT d.objid AS oid, d.deptype = 'i' AS is_identity
            FROM pg_catalog.pg_depend d
            JOIN pg_catalog.pg_class s ON s.oid = d.objid AND s.relkind = 'S'
            WHERE d.classid = 'pg_catalog.pg_class'::regclass AND d.refclassid = 'pg_catalog.pg_class'::regclass
                AND d.refobjid = $1 AND d.refobjsubid > 0 AND d.deptype IN ('a', 'i')),
        family AS (
            SELECT 'pg_catalog.pg_class'::regclass::oid AS classid, $1::oid AS objid
            UNION ALL
            SELECT 'pg_catalog.pg_type'::regclass, o.oid
            FROM pg_catalog.pg_type t CROSS JOIN LATERAL (VALUES (t.oid), (t.typarray)) o (oid)
            WHERE t.typrelid = $1 AND o.oid <> 0
            UNION ALL
            SELECT 'pg_catalog.pg_class'::regclass, i.indexrelid FROM pg_catalog.pg_index i WHERE i.indrelid = $1
            UNION ALL
            SELECT 'pg_catalog.pg_constraint'::regclass, c.oid FROM pg_catalog.pg_constraint c WHERE c.conrelid = $1
            UNION ALL
            SELECT 'pg_catalog.pg_class'::regclass, s.oid FROM owned_sequence s),
        dependent AS (
            SELECT d.* FROM pg_catalog.pg_depend d
            JOIN family f ON f.classid = d.refclassid AND f.objid = d.refobjid)

        """

    /// Whether a row `d` of `dependent` is only a part of another dependent, which is reported instead: the
    /// constructors of a range type, its multirange type.
    static let isPartOfDependent = """
        EXISTS (SELECT FROM pg_catalog.pg_depend m
            JOIN dependent o ON o.classid = m.refclassid AND o.objid = m.refobjid
            WHERE m.classid = d.classid AND m.objid = d.objid AND m.deptype = 'i')
        """
}
