import PgConnection

/// A digest of everything in the catalogs about a table that a migration builds upon, in named parts.
///
/// Independent of what changes by itself: physical files, statistics, VACUUM and ANALYZE, `attoptions` that SET and RESET do not know.
enum CatalogFingerprint {
    /// What belongs to tables: each can have a comment, and most of it a security label.
    ///
    /// - Parameter tables: the end of a condition on their OIDs.
    static func belongings(of tables: String = "= $1::oid") -> String {
        """
        SELECT 'pg_class'::regclass::oid AS classoid, oid AS objoid FROM pg_class WHERE oid \(tables)
        UNION ALL SELECT 'pg_class'::regclass, indexrelid FROM pg_index WHERE indrelid \(tables)
        UNION ALL SELECT 'pg_constraint'::regclass, oid FROM pg_constraint WHERE conrelid \(tables)
        UNION ALL SELECT 'pg_trigger'::regclass, oid FROM pg_trigger WHERE tgrelid \(tables) AND NOT tgisinternal
        UNION ALL SELECT 'pg_policy'::regclass, oid FROM pg_policy WHERE polrelid \(tables)
        UNION ALL SELECT 'pg_statistic_ext'::regclass, oid FROM pg_statistic_ext WHERE stxrelid \(tables)
        UNION ALL SELECT 'pg_rewrite'::regclass, oid FROM pg_rewrite WHERE ev_class \(tables)
        UNION ALL SELECT 'pg_attrdef'::regclass, oid FROM pg_attrdef WHERE adrelid \(tables)
        UNION ALL SELECT 'pg_type'::regclass, y.oid FROM pg_type t CROSS JOIN LATERAL (VALUES (t.oid), (t.typarray)) y (oid)
            WHERE t.typrelid \(tables) AND t.typrelid <> 0 AND y.oid <> 0
        UNION ALL SELECT 'pg_class'::regclass, d.objid FROM pg_depend d JOIN pg_class s ON s.oid = d.objid AND s.relkind = 'S'
            WHERE d.classid = 'pg_class'::regclass AND d.refclassid = 'pg_class'::regclass AND d.refobjid \(tables)
                AND d.refobjsubid > 0 AND d.deptype IN ('a', 'i')
        """
    }

    /// The sequences of identity columns, of which the new table has its own: the OIDs.
    ///
    /// - Parameter tables: the end of a condition on their OIDs.
    static func identitySequences(of tables: String = "= $1::oid") -> String {
        """
        SELECT objid FROM pg_depend WHERE classid = 'pg_class'::regclass AND refclassid = 'pg_class'::regclass
            AND refobjid \(tables) AND refobjsubid > 0 AND deptype = 'i'
        """
    }

    /// The parts, each as a subquery that returns one text for the table `$1`; `$2` is the name of our own publication.
    private static let parts: [(name: String, sql: String)] = [
        (
            "table",
            """
            SELECT concat_ws(',', c.relname, c.relnamespace, c.relowner, c.relkind, c.relpersistence, c.relreplident, c.relispartition,
                c.relrowsecurity, c.relforcerowsecurity, c.relam, c.reltablespace, c.reloptions::text,
                (SELECT t.reloptions::text FROM pg_class t WHERE t.oid = c.reltoastrelid))
            FROM pg_class c WHERE c.oid = $1::oid
            """
        ),
        (
            "privileges",
            "SELECT concat_ws('/', c.relacl::text, t.typacl::text) FROM pg_class c JOIN pg_type t ON t.oid = c.reltype WHERE c.oid = $1::oid"
        ),
        (
            "columns",
            """
            SELECT string_agg(concat_ws(',', attnum, attname, atttypid, atttypmod, attcollation, attnotnull, attidentity, attgenerated,
                attstorage, attcompression, coalesce(attstattarget, -1), attacl::text, attisdropped,
                (SELECT string_agg(o, ' ' ORDER BY o) FROM unnest(attoptions) o WHERE o LIKE 'n\\_distinct%')), ';' ORDER BY attnum)
            FROM pg_attribute WHERE attrelid = $1::oid AND attnum > 0
            """
        ),
        (
            "defaults",
            """
            SELECT string_agg(concat_ws(',', adnum, pg_get_expr(adbin, adrelid)), ';' ORDER BY adnum) FROM pg_attrdef WHERE adrelid = $1::oid
            """
        ),
        (
            "constraints",
            """
            SELECT string_agg(concat_ws(',', conname, contype, condeferrable, condeferred, convalidated, pg_get_constraintdef(oid)), ';'
                ORDER BY conname, oid) FROM pg_constraint WHERE conrelid = $1::oid OR confrelid = $1::oid
            """
        ),
        (
            "indexes",
            """
            SELECT string_agg(concat_ws(',', pg_get_indexdef(indexrelid), indisvalid, indisclustered, indisreplident,
                (SELECT string_agg(d.refobjid::text, ' ' ORDER BY d.refobjid) FROM pg_depend d WHERE d.classid = 'pg_class'::regclass
                    AND d.objid = indexrelid AND d.refclassid = 'pg_extension'::regclass)), ';' ORDER BY indexrelid) FROM pg_index WHERE indrelid = $1::oid
            """
        ),
        (
            "triggers",
            """
            SELECT string_agg(concat_ws(',', pg_get_triggerdef(oid), tgenabled), ';' ORDER BY oid) FROM pg_trigger
            WHERE tgrelid = $1::oid AND (NOT tgisinternal OR tgenabled <> 'O')
            """
        ),
        (
            "policies-and-rules",
            """
            SELECT concat((SELECT string_agg(concat_ws(',', polname, polcmd, polpermissive, polroles::text, pg_get_expr(polqual, polrelid),
                        pg_get_expr(polwithcheck, polrelid)), ';' ORDER BY oid) FROM pg_policy WHERE polrelid = $1::oid), '/',
                (SELECT string_agg(concat_ws(',', pg_get_ruledef(oid), ev_enabled), ';' ORDER BY oid) FROM pg_rewrite WHERE ev_class = $1::oid))
            """
        ),
        (
            "inheritance",
            "SELECT string_agg(concat(inhrelid, '<', inhparent, inhdetachpending), ';' ORDER BY 1) FROM pg_inherits WHERE inhrelid = $1::oid OR inhparent = $1::oid"
        ),
        (
            "publications",
            """
            SELECT string_agg(p.pubname, ';' ORDER BY p.pubname) FROM pg_publication_rel r JOIN pg_publication p ON p.oid = r.prpubid
            WHERE r.prrelid = $1::oid AND p.pubname IS DISTINCT FROM $2::text
            """
        ),
        (
            "statistics",
            """
            SELECT string_agg(pg_get_statisticsobjdef(oid), ';' ORDER BY oid) FROM pg_statistic_ext WHERE stxrelid = $1::oid
            """
        ),
        (
            "comments",
            """
            SELECT string_agg(concat_ws(',', m.classoid, m.objoid, m.objsubid, m.description), ';' ORDER BY m.classoid, m.objoid, m.objsubid)
            FROM (\(belongings())) o JOIN pg_description m USING (classoid, objoid)
            """
        ),
        (
            "security-labels",
            """
            SELECT string_agg(concat_ws(',', l.classoid, l.objoid, l.objsubid, l.provider, l.label), ';'
                ORDER BY l.classoid, l.objoid, l.objsubid, l.provider)
            FROM (\(belongings())) o JOIN pg_seclabel l USING (classoid, objoid)
            """
        ),
        (
            "identity",
            """
            SELECT string_agg(concat_ws(',', c.relname, c.relacl::text, q.seqtypid, q.seqstart, q.seqincrement, q.seqmax, q.seqmin, q.seqcache,
                q.seqcycle), ';' ORDER BY c.oid)
            FROM pg_sequence q JOIN pg_class c ON c.oid = q.seqrelid WHERE c.oid IN (\(identitySequences()))
            """
        ),
    ]

    /// `part=digest` for each part, separated by spaces. One query, a few milliseconds at most.
    ///
    /// - Parameter publication: the name of our own publication, which is left out; nil before there is one.
    static func digest(of oid: UInt32, publication: String?, on connection: isolated PgConnection) throws -> String {
        let columns = parts.map { "md5(coalesce((\($0.sql)), ''))" }
        let row = try connection.query(
            "SELECT \(columns.joined(separator: ", "))", [.int(oid), .text(publication)]
        ).single()
        return parts.enumerated().map { index, part in
            "\(part.name)=\(row.text(index) ?? "")"
        }.joined(separator: " ")
    }

    /// The names of the parts in which two digests differ.
    static func difference(_ before: String, _ after: String) -> [String] {
        let old = Set(before.split(separator: " "))
        return after.split(separator: " ").filter { !old.contains($0) }.map { part in
            String(part.prefix { $0 != "=" })
        }
    }
}
