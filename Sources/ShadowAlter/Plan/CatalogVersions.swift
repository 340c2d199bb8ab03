import PgConnection

/// The versions of the catalog rows about relations and functions: by whom each was written last. Much quicker to compare than what the rows
/// say, and enough under a lock: rows that nobody has written since they were compared say the same as then.
///
/// VACUUM and ANALYZE update statistics in place, which leaves `xmin` alone (heap_inplace_update in src/backend/access/heap/heapam.c).
struct CatalogVersions: Equatable, Sendable {
    private let digest: String

    /// Read by one statement, which the session keeps: under the lock it need not be planned any more.
    struct Question: Sendable {
        fileprivate let sql: String
        private static let name = "shadow_alter_versions"

        /// - Parameter relations: as often as you like each.
        init(relations: [UInt32], functions: [UInt32]) {
            sql = CatalogVersions.sql(relations: Self.list(relations), functions: Self.list(functions))
        }

        private static func list(_ oids: [UInt32]) -> String {
            "'{\(Set(oids).sorted().map { String($0) }.joined(separator: ","))}'::oid[]"
        }

        /// Once in a session.
        func prepare(on connection: isolated PgConnection) throws {
            try connection.execute("PREPARE \(Self.name) AS \(sql)")
        }

        func ask(on connection: isolated PgConnection) throws -> CatalogVersions {
            CatalogVersions(digest: try connection.queryPrepared(Self.name).single().value())
        }
    }

    /// Two sums of hashes and the number of rows, instead of one hash of all: it takes no sorting.
    private static func sql(relations: String, functions: String) -> String {
        """
        SELECT concat_ws(',', count(*), sum(hashtextextended(v, 0)), sum(hashtextextended(v, 1))) FROM (
            SELECT 'c' || oid || ':' || xmin FROM pg_class WHERE oid = ANY (\(relations))
            UNION ALL SELECT 'c' || t.oid || ':' || t.xmin FROM pg_class c JOIN pg_class t ON t.oid = c.reltoastrelid
                WHERE c.oid = ANY (\(relations))
            UNION ALL SELECT 'a' || attrelid || ',' || attnum || ':' || xmin FROM pg_attribute WHERE attrelid = ANY (\(relations))
            UNION ALL SELECT 'd' || oid || ':' || xmin FROM pg_attrdef WHERE adrelid = ANY (\(relations))
            UNION ALL SELECT 'k' || oid || ':' || xmin FROM pg_constraint
                WHERE conrelid = ANY (\(relations)) OR confrelid = ANY (\(relations))
            UNION ALL SELECT 'i' || i.indexrelid || ':' || i.xmin || ':' || c.xmin
                FROM pg_index i JOIN pg_class c ON c.oid = i.indexrelid WHERE i.indrelid = ANY (\(relations))
            UNION ALL SELECT 't' || oid || ':' || xmin FROM pg_trigger WHERE tgrelid = ANY (\(relations))
            UNION ALL SELECT 'p' || oid || ':' || xmin FROM pg_policy WHERE polrelid = ANY (\(relations))
            UNION ALL SELECT 'r' || oid || ':' || xmin FROM pg_rewrite WHERE ev_class = ANY (\(relations))
            UNION ALL SELECT 'h' || inhrelid || '<' || inhparent || ':' || xmin FROM pg_inherits
                WHERE inhrelid = ANY (\(relations)) OR inhparent = ANY (\(relations))
            UNION ALL SELECT 'b' || oid || ':' || xmin FROM pg_publication_rel WHERE prrelid = ANY (\(relations))
            UNION ALL SELECT 's' || oid || ':' || xmin FROM pg_statistic_ext WHERE stxrelid = ANY (\(relations))
            UNION ALL SELECT 'm' || m.classoid || ',' || m.objoid || ',' || m.objsubid || ':' || m.xmin
                FROM (\(CatalogFingerprint.belongings(of: "= ANY (\(relations))"))) o JOIN pg_description m USING (classoid, objoid)
            UNION ALL SELECT 'l' || l.classoid || ',' || l.objoid || ',' || l.objsubid || ':' || l.xmin
                FROM (\(CatalogFingerprint.belongings(of: "= ANY (\(relations))"))) o JOIN pg_seclabel l USING (classoid, objoid)
            UNION ALL SELECT 'w' || oid || ':' || xmin FROM pg_type WHERE typrelid = ANY (\(relations)) AND typrelid <> 0
            UNION ALL SELECT 'q' || q.seqrelid || ':' || q.xmin || ':' || c.xmin FROM pg_sequence q JOIN pg_class c ON c.oid = q.seqrelid
                WHERE q.seqrelid IN (\(CatalogFingerprint.identitySequences(of: "= ANY (\(relations))")))
            UNION ALL SELECT 'e' || d.objid || ',' || d.refobjid FROM pg_index i JOIN pg_depend d ON d.objid = i.indexrelid
                WHERE i.indrelid = ANY (\(relations)) AND d.classid = 'pg_class'::regclass AND d.refclassid = 'pg_extension'::regclass
            UNION ALL SELECT 'y' || d.classid || ',' || d.objid || '>' || d.refobjid FROM pg_class c JOIN pg_type t ON t.oid = c.reltype
                JOIN pg_depend d ON d.refclassid = 'pg_type'::regclass AND d.refobjid = ANY (ARRAY[t.oid, t.typarray])
                WHERE c.oid = ANY (\(relations))
            UNION ALL SELECT 'o' || classid || ',' || objid || '>' || refobjid || deptype::text FROM pg_depend
                WHERE refclassid = 'pg_class'::regclass AND refobjid = ANY (\(relations))
            UNION ALL SELECT 'f' || oid || ':' || xmin FROM pg_proc WHERE oid = ANY (\(functions))
        ) AS versions (v)
        """
    }
}
