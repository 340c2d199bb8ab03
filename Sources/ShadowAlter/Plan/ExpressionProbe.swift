import PgConnection

/// Asks PostgreSQL about expressions over a table's row, by a view that is dropped at once. While a change is planned.
struct ExpressionProbe {
    let table: QualifiedName
    /// How expressions know the table and its columns.
    let alias: String
    let names: [String]
    /// Where the view is made.
    let schema: String

    struct Facts {
        /// The table's columns that the expression uses, by their names in the catalog.
        var columns: [String]
        var isVolatile: Bool
        /// A function that may return something else tomorrow for the same arguments under the same settings.
        var unsteadyFunction: String?
        /// Whether it has something like CURRENT_DATE.
        var asksSession: Bool

        /// Why it may have another value tomorrow; nil when it has the same one for the same row as long as the session's settings are the same.
        var whyUnsteady: String? {
            if let unsteadyFunction { return "calls \(unsteadyFunction), which may return something else each time" }
            return asksSession ? "depends on the time or the session" : nil
        }
    }

    private var view: QualifiedName { QualifiedName(schema: schema, name: "shadow_alter_probe") }
    var row: String { "ONLY \(table.sql) AS \(Quoting.identifier(alias)) (\(Quoting.identifiers(names)))" }

    /// A stable function of PostgreSQL's own that takes arguments depends on them and on settings; one without (`now()`), and one written in SQL
    /// (`age(timestamptz)`), may depend on the time. What others have written and not called immutable may read tables.
    func facts(_ expression: String, on connection: isolated PgConnection) throws -> Facts {
        try connection.execute("CREATE VIEW \(view.sql) AS SELECT \(expression) AS value FROM \(row)")
        let row = try connection.query(
            """
            WITH tree AS (SELECT oid, ev_action::text AS text FROM pg_rewrite WHERE ev_class = $1::text::regclass),
            called AS (
                SELECT m[1]::oid AS oid FROM tree, regexp_matches(text, ':(?:funcid|opfuncid|aggfnoid|winfnoid) (\\d+)', 'g') m
                UNION SELECT o.oprcode FROM tree, regexp_matches(text, ':opno (\\d+)', 'g') m JOIN pg_operator o ON o.oid = m[1]::oid)
            SELECT text ~ '\\{(SQLVALUEFUNCTION|NEXTVALUEEXPR) ' AS asks_session,
                (SELECT p.oid::regprocedure::text FROM called JOIN pg_proc p USING (oid) JOIN pg_language l ON l.oid = p.prolang
                 WHERE p.provolatile = 'v' OR p.provolatile = 's' AND NOT (
                    p.pronamespace = 'pg_catalog'::regnamespace AND l.lanname IN ('internal', 'c') AND p.pronargs > 0)
                 ORDER BY p.provolatile DESC, p.oid LIMIT 1) AS function,
                text ~ '\\{NEXTVALUEEXPR ' OR EXISTS (SELECT FROM called JOIN pg_proc p USING (oid) WHERE p.provolatile = 'v') AS is_volatile,
                ARRAY(SELECT a.attname::text FROM pg_depend d JOIN pg_attribute a ON a.attrelid = d.refobjid AND a.attnum = d.refobjsubid
                    WHERE d.classid = 'pg_rewrite'::regclass AND d.objid = tree.oid AND d.refobjid = $2::text::regclass AND d.refobjsubid > 0
                    ORDER BY a.attnum) AS columns
            FROM tree
            """, [.text(view.sql), .text(table.sql)]
        ).single()
        let facts = Facts(
            columns: try row.get("columns"), isVolatile: try row.get("is_volatile"),
            unsteadyFunction: try row.optional("function"), asksSession: try row.get("asks_session"))
        try connection.execute("DROP VIEW \(view.sql)")
        return facts
    }

    /// Whether PostgreSQL reads the expression as the column alone, or as the column with a cast around it and nothing else.
    func isBareCast(_ expression: String, of column: String, on connection: isolated PgConnection) throws -> Bool {
        let (read, type) = try reading(of: expression, on: connection)
        let column = Quoting.identifier(column)
        if try reading(of: column, on: connection).text == read { return true }
        return try reading(of: "CAST(\(column) AS \(type))", on: connection).text == read
    }

    /// The expression as PostgreSQL prints it, and its type.
    private func reading(
        of expression: String, on connection: isolated PgConnection
    ) throws -> (text: String, type: String) {
        try connection.execute("CREATE VIEW \(view.sql) AS SELECT (\(expression)) AS value FROM \(row)")
        let row = try connection.query(
            """
            SELECT pg_get_viewdef(attrelid) AS text, format_type(atttypid, atttypmod) AS type
            FROM pg_attribute WHERE attrelid = $1::text::regclass AND attnum = 1
            """, [.text(view.sql)]
        ).single()
        let reading: (text: String, type: String) = (try row.get("text"), try row.get("type"))
        try connection.execute("DROP VIEW \(view.sql)")
        return reading
    }
}
