/// What the oracle knows about columns of catalogs beyond what PostgreSQL tells about them.
enum CatalogColumns {
    /// What says nothing about a definition.
    static let ignored: [String: Set<String>] = [
        "pg_class": [
            // Of the file, and of what VACUUM and ANALYZE have counted.
            "relfilenode", "relpages", "reltuples", "relallvisible", "relallfrozen", "relfrozenxid", "relminmxid",
            "relrewrite",
            // By its owner.
            "reltoastrelid",
            // Dropped columns count.
            "relnatts",
            // Hints that are never taken back, but by VACUUM.
            "relhasindex", "relhasrules", "relhastriggers", "relhassubclass",
        ],
        // Of the number only the order is of interest; what is missing in old rows is told by the rows.
        "pg_attribute": ["attnum", "attcacheoff", "attmissingval", "atthasmissing"],
        // When the index may be used in view of old snapshots.
        "pg_index": ["indcheckxmin", "indnatts", "indnkeyatts"],
        // Told by the definition.
        "pg_rewrite": ["ev_qual"],
        "pg_collation": ["collversion"],
    ]

    /// Texts of expressions; without an entry the column is unknown, and the oracle says so.
    static let expressions: [String: String] = [
        "pg_attrdef.adbin": "pg_get_expr(r.adbin, r.adrelid)",
        "pg_class.relpartbound": "pg_get_expr(r.relpartbound, r.oid)",
        "pg_constraint.conbin": "pg_get_constraintdef(r.oid)",
        "pg_index.indexprs": "pg_get_indexdef(r.indexrelid)",
        "pg_index.indpred": "pg_get_expr(r.indpred, r.indrelid)",
        "pg_partitioned_table.partexprs": "pg_get_partkeydef(r.partrelid)",
        "pg_policy.polqual": "pg_get_expr(r.polqual, r.polrelid)",
        "pg_policy.polwithcheck": "pg_get_expr(r.polwithcheck, r.polrelid)",
        "pg_proc.proargdefaults": "pg_get_expr(r.proargdefaults, 0)",
        "pg_proc.prosqlbody": "pg_get_function_sqlbody(r.oid)",
        "pg_publication_rel.prqual": "pg_get_expr(r.prqual, r.prrelid)",
        "pg_rewrite.ev_action": "pg_get_ruledef(r.oid)",
        "pg_statistic_ext.stxexprs": "pg_get_statisticsobjdef(r.oid)",
        "pg_trigger.tgqual": "CASE WHEN NOT r.tgisinternal THEN pg_get_triggerdef(r.oid) END",
        "pg_type.typdefaultbin": "pg_get_expr(r.typdefaultbin, 0)",
    ]

    /// Numbers of columns that PostgreSQL's map of its catalogs does not mention: the column that holds the relation.
    static let columnNumbers: [String: String] = [
        "pg_constraint.confdelsetcols": "conrelid", "pg_publication_rel.prattrs": "prrelid",
    ]

    /// Values that have to be put differently.
    static let special: [String: String] = [
        "pg_trigger.tgname": "regexp_replace(r.tgname, '\(ObjectNames.internalTrigger)', '\\1')",
        // In the order in which they were set; a later RESET and SET of one is no difference. What is not for users to set is not told.
        "pg_attribute.attoptions":
            "ARRAY(SELECT o FROM unnest(r.attoptions) o WHERE o ~ '^n_distinct' ORDER BY 1)::text",
        "pg_class.reloptions": "ARRAY(SELECT o FROM unnest(r.reloptions) o ORDER BY 1)::text",
        // What an index's columns have is what the table's had when one of them was changed last; a build makes nothing of it.
        "pg_attribute.attcompression":
            "CASE WHEN EXISTS (SELECT FROM pg_index i WHERE i.indexrelid = r.attrelid) THEN NULL ELSE r.attcompression::text END",
        // -1 until PostgreSQL 16.
        "pg_attribute.attstattarget": "nullif(r.attstattarget, -1)::text",
    ]
}
