import PgConnection

/// The versions of the catalog rows about a table: by whom each was written last. Much quicker to compare than what the rows say, and enough
/// under a lock: rows that nobody has written since they were compared say the same as then.
///
/// VACUUM and ANALYZE update statistics in place, which leaves `xmin` alone (heap_inplace_update in src/backend/access/heap/heapam.c).
struct CatalogVersions: Equatable, Sendable {
    private let digest: String

    static func read(_ oid: UInt32, on connection: isolated PgConnection) throws -> CatalogVersions {
        let digest: String = try connection.query(
            """
            SELECT md5(string_agg(v, ',' ORDER BY v)) FROM (
                SELECT 'c' || oid || ':' || xmin FROM pg_class
                    WHERE oid = $1 OR oid = (SELECT reltoastrelid FROM pg_class WHERE oid = $1)
                UNION ALL SELECT 'a' || attnum || ':' || xmin FROM pg_attribute WHERE attrelid = $1
                UNION ALL SELECT 'd' || oid || ':' || xmin FROM pg_attrdef WHERE adrelid = $1
                UNION ALL SELECT 'k' || oid || ':' || xmin FROM pg_constraint WHERE conrelid = $1 OR confrelid = $1
                UNION ALL SELECT 'i' || i.indexrelid || ':' || i.xmin || ':' || c.xmin
                    FROM pg_index i JOIN pg_class c ON c.oid = i.indexrelid WHERE i.indrelid = $1
                UNION ALL SELECT 't' || oid || ':' || xmin FROM pg_trigger WHERE tgrelid = $1
                UNION ALL SELECT 'p' || oid || ':' || xmin FROM pg_policy WHERE polrelid = $1
                UNION ALL SELECT 'r' || oid || ':' || xmin FROM pg_rewrite WHERE ev_class = $1
                UNION ALL SELECT 'h' || inhrelid || '<' || inhparent || ':' || xmin FROM pg_inherits WHERE inhrelid = $1 OR inhparent = $1
                UNION ALL SELECT 'b' || oid || ':' || xmin FROM pg_publication_rel WHERE prrelid = $1
                UNION ALL SELECT 's' || oid || ':' || xmin FROM pg_statistic_ext WHERE stxrelid = $1
                UNION ALL SELECT 'm' || m.objoid || ',' || m.objsubid || ':' || m.xmin
                    FROM (\(CatalogFingerprint.belongings)) o JOIN pg_description m USING (classoid, objoid)
                UNION ALL SELECT 'l' || l.objoid || ',' || l.objsubid || ':' || l.xmin
                    FROM (\(CatalogFingerprint.belongings)) o JOIN pg_seclabel l USING (classoid, objoid)
                UNION ALL SELECT 'w' || oid || ':' || xmin FROM pg_type WHERE typrelid = $1
                UNION ALL SELECT 'q' || q.seqrelid || ':' || q.xmin || ':' || c.xmin FROM pg_sequence q JOIN pg_class c ON c.oid = q.seqrelid
                    WHERE q.seqrelid IN (\(CatalogFingerprint.identitySequences))
                UNION ALL SELECT 'e' || d.objid || ',' || d.refobjid FROM pg_index i JOIN pg_depend d ON d.objid = i.indexrelid
                    WHERE i.indrelid = $1 AND d.classid = 'pg_class'::regclass AND d.refclassid = 'pg_extension'::regclass
                UNION ALL SELECT 'y' || d.classid || ',' || d.objid FROM pg_class c JOIN pg_type t ON t.oid = c.reltype
                    JOIN pg_depend d ON d.refclassid = 'pg_type'::regclass AND d.refobjid = ANY (ARRAY[t.oid, t.typarray])
                    WHERE c.oid = $1
                UNION ALL SELECT 'o' || classid || ',' || objid || deptype::text FROM pg_depend
                    WHERE refclassid = 'pg_class'::regclass AND refobjid = $1
            ) AS versions (v)
            """, [.int(oid)]
        ).single().value()
        return CatalogVersions(digest: digest)
    }

    static func read(functions oids: [UInt32], on connection: isolated PgConnection) throws -> CatalogVersions {
        guard !oids.isEmpty else { return CatalogVersions(digest: "") }
        let digest: String = try connection.query(
            "SELECT coalesce(string_agg(oid || ':' || xmin, ',' ORDER BY oid), '') FROM pg_proc WHERE oid = ANY ($1::oid[])",
            [.array(oids.map { String($0) })]
        ).single().value()
        return CatalogVersions(digest: digest)
    }
}
