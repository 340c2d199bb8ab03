import PgConnection

/// What hangs on what, and what is said about objects: the catalogs whose rows are no objects themselves.
enum DependencyFacts {
    static func read(on connection: isolated PgConnection) throws -> SchemaDescription {
        var found = SchemaDescription()
        for (source, statement) in statements {
            for row in try connection.query(statement).rows {
                found.add(source, row.text(0) ?? "?", row.text(1) ?? "?", row.text(2) ?? "NULL")
            }
        }
        return found
    }

    private static let object = ObjectNames.sql("r.classid", "r.objid", "r.objsubid")
    private static let target = ObjectNames.sql("r.refclassid", "r.refobjid", "r.refobjsubid")

    private static let statements: [(String, String)] = [
        (
            "pg_depend",
            """
            SELECT DISTINCT * FROM (
                SELECT \(object) AS object, \(target) AS target, r.deptype::text AS kind
                FROM pg_depend r WHERE r.objid >= 16384 OR r.refobjid >= 16384 OFFSET 0) d
            WHERE \(ObjectNames.isOfInterest("d.object")) AND \(ObjectNames.isOfInterest("d.target"))
            """
        ),
        (
            "pg_shdepend",
            """
            SELECT DISTINCT * FROM (
                SELECT \(object) AS object, \(ObjectNames.sql("r.refclassid", "r.refobjid")) AS target, r.deptype::text AS kind
                FROM pg_shdepend r WHERE r.dbid = (SELECT oid FROM pg_database WHERE datname = current_database()) OFFSET 0) d
            WHERE \(ObjectNames.isOfInterest("d.object"))
            """
        ),
        (
            "pg_description",
            "SELECT \(ObjectNames.sql("r.classoid", "r.objoid", "r.objsubid")), 'comment', r.description FROM pg_description r WHERE r.objoid >= 16384"
        ),
        (
            "pg_seclabel",
            "SELECT \(ObjectNames.sql("r.classoid", "r.objoid", "r.objsubid")), r.provider, r.label FROM pg_seclabel r"
        ),
        (
            "pg_init_privs",
            """
            SELECT \(ObjectNames.sql("r.classoid", "r.objoid", "r.objsubid")), r.privtype::text, ARRAY(\(AccessFacts.entries(of: "r.initprivs")))::text
            FROM pg_init_privs r WHERE r.objoid >= 16384
            """
        ),
        (
            "pg_db_role_setting",
            """
            SELECT 'role ' || CASE WHEN r.setrole = 0 THEN 'all' ELSE pg_get_userbyid(r.setrole) END, 'settings', r.setconfig::text
            FROM pg_db_role_setting r WHERE r.setdatabase = (SELECT oid FROM pg_database WHERE datname = current_database())
            """
        ),
        (
            "toast",
            """
            SELECT \(ObjectNames.sql(of: "pg_class", "c.oid")), 'reloptions', ARRAY(SELECT o FROM unnest(t.reloptions) o ORDER BY 1)::text
            FROM pg_class c JOIN pg_class t ON t.oid = c.reltoastrelid WHERE c.oid >= 16384 AND t.reloptions IS NOT NULL
            """
        ),
        // That ANALYZE has been there; what it found is a matter of chance.
        (
            "pg_statistic",
            """
            SELECT \(ObjectNames.sql(of: "pg_class", "r.starelid", "r.staattnum")), CASE WHEN r.stainherit THEN 'with children' ELSE 'alone' END, 'present'
            FROM pg_statistic r WHERE r.starelid >= 16384
            """
        ),
        (
            "pg_statistic_ext_data",
            """
            SELECT \(ObjectNames.sql(of: "pg_statistic_ext", "r.stxoid")), 'data', concat_ws(' ', CASE WHEN r.stxdndistinct IS NOT NULL THEN 'ndistinct' END,
                CASE WHEN r.stxddependencies IS NOT NULL THEN 'dependencies' END, CASE WHEN r.stxdmcv IS NOT NULL THEN 'mcv' END,
                CASE WHEN r.stxdexpr IS NOT NULL THEN 'expressions' END)
            FROM pg_statistic_ext_data r
            """
        ),
    ]
}
