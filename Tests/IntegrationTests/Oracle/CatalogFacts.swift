import PgConnection

/// Every column of every row that belongs to an object of a user, whatever columns the server's version has.
///
/// PostgreSQL itself tells which columns hold OIDs of what, and numbers of whose columns (`pg_get_catalog_foreign_keys`).
struct CatalogFacts: Sendable {
    private struct Column {
        var catalog: String
        var name: String
        var type: String
        var hasMany: Bool
        /// The catalog whose rows it points at; the names of the relation's column and its own where it holds numbers of columns.
        var target: String?
        var relationColumn: String?
    }

    /// The oracle does not know what a column of a catalog means.
    struct UnknownColumn: Error, CustomStringConvertible {
        let description: String
    }

    private let columns: [String: [Column]]

    init(on connection: isolated PgConnection) throws {
        let rows = try connection.query(
            """
            SELECT c.relname, a.attname, format_type(a.atttypid, NULL) AS type, t.typcategory = 'A' AS many,
                f.pktable::text AS target,
                CASE WHEN array_length(f.fkcols, 1) = 2 THEN f.fkcols[1] END AS relation
            FROM pg_class c JOIN pg_attribute a ON a.attrelid = c.oid AND a.attnum > 0 JOIN pg_type t ON t.oid = a.atttypid
            LEFT JOIN pg_get_catalog_foreign_keys() f ON f.fktable = c.oid AND f.fkcols[array_length(f.fkcols, 1)] = a.attname
            WHERE c.relnamespace = 'pg_catalog'::regnamespace AND c.relkind = 'r' ORDER BY c.relname, a.attnum
            """)
        columns = Dictionary(
            grouping: try rows.rows.map { row in
                Column(
                    catalog: try row.get("relname"), name: try row.get("attname"), type: try row.get("type"),
                    hasMany: try row.get("many"), target: try row.optional("target"),
                    relationColumn: try row.optional("relation"))
            }, by: \.catalog)
    }

    func read(on connection: isolated PgConnection) throws -> SchemaDescription {
        var found = SchemaDescription()
        for rows in CatalogRows.all {
            guard let columns = columns[rows.catalog] else { continue }
            for row in try connection.query(try Self.statement(rows, columns)).rows {
                found.add(rows.catalog, row.text(0) ?? "?", row.text(1) ?? "?", row.text(2) ?? "NULL")
            }
        }
        return found
    }

    private static func statement(_ rows: CatalogRows, _ columns: [Column]) throws -> String {
        let values = try columns.compactMap { column in
            try value(column).map { "(\(Quoting.literal(column.name)), \($0))" }
        }
        let further = rows.further.map { "(\(Quoting.literal($0.name)), \($0.sql))" }
        return """
            SELECT o.object, p.property, p.value
            FROM \(rows.catalog) r CROSS JOIN LATERAL (SELECT \(rows.object) AS object OFFSET 0) o
            CROSS JOIN LATERAL (VALUES \((values + further).joined(separator: ",\n"))) p (property, value)
            WHERE \(rows.condition) AND \(ObjectNames.isOfInterest("o.object"))
            """
    }

    /// SQL for the column's value as text; nil for what is not told.
    private static func value(_ column: Column) throws -> String? {
        let path = "\(column.catalog).\(column.name)"
        guard column.name != "oid", CatalogColumns.ignored[column.catalog]?.contains(column.name) != true else {
            return nil
        }
        if let sql = CatalogColumns.special[path] ?? CatalogColumns.expressions[path] { return sql }
        if let relation = CatalogColumns.columnNumbers[path] ?? column.relationColumn {
            return each(column, "int2[]") { ObjectNames.column("r.\(relation)", $0) }
        }
        if let target = column.target {
            return each(column, "oid[]") {
                "CASE WHEN \($0)::oid = 0 THEN 'none' ELSE \(ObjectNames.sql(of: target, "\($0)::oid")) END"
            }
        }
        switch column.type {
        case "oid", "oid[]", "oidvector", "xid", "pg_node_tree", "anyarray":
            throw UnknownColumn(
                description: "what does \(path), of type \(column.type), mean? Tell it in CatalogColumns")
        case "aclitem[]":
            return "ARRAY(\(AccessFacts.entries(of: AccessFacts.list(column.catalog, column.name))))::text"
        default: return "r.\(column.name)::text"
        }
    }

    private static func each(_ column: Column, _ type: String, _ sql: (String) -> String) -> String {
        guard column.hasMany || column.type.hasSuffix("vector") else { return sql("r.\(column.name)") }
        return
            "ARRAY(SELECT \(sql("u.item")) FROM unnest(r.\(column.name)::\(type)) WITH ORDINALITY u (item, n) ORDER BY u.n)::text"
    }
}
