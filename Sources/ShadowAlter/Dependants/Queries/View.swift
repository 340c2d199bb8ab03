import PgConnection

/// A view as the catalogs have it.
struct View: Sendable, Equatable {
    struct Column: Sendable, Equatable {
        var name: String
        var typeOID: UInt32
        var typeModifier: Int
        var collationOID: UInt32
    }

    var oid: UInt32
    var name: QualifiedName
    var owner: String
    var isTemporary: Bool
    /// `pg_class.reloptions`: `name=value`
    var options: [String]
    var columns: [Column]

    /// With all options: OR REPLACE takes away those that are not said again.
    func create(as name: QualifiedName, _ definition: String, orReplace: Bool = false) -> String {
        var sql = "CREATE \(orReplace ? "OR REPLACE " : "")VIEW \(name.sql)"
        if !columns.isEmpty { sql += " (\(Quoting.identifiers(columns.map(\.name))))" }
        if !options.isEmpty { sql += " WITH (\(options.map(Self.option).joined(separator: ", ")))" }
        return sql + " AS \(definition)"
    }

    private static func option(_ option: String) -> String {
        let parts = option.split(separator: "=", maxSplits: 1, omittingEmptySubsequences: false).map(String.init)
        return parts.count == 2
            ? "\(Quoting.identifier(parts[0])) = \(Quoting.literal(parts[1]))" : Quoting.identifier(option)
    }

    static func read(_ oid: UInt32, on connection: isolated PgConnection) throws -> View {
        let row = try connection.query(
            """
            SELECT n.nspname, c.relname, pg_get_userbyid(c.relowner) AS owner, c.relpersistence = 't' AS temporary,
                coalesce(c.reloptions, '{}') AS options
            FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace WHERE c.oid = $1
            """, [.int(oid)]
        ).single()
        return View(
            oid: oid, name: QualifiedName(schema: try row.get("nspname"), name: try row.get("relname")),
            owner: try row.get("owner"), isTemporary: try row.get("temporary"), options: try row.get("options"),
            columns: try columns(of: oid, on: connection))
    }

    static func columns(of oid: UInt32, on connection: isolated PgConnection) throws -> [Column] {
        try ColumnFacts.read(oid, on: connection).map {
            Column(
                name: $0.name, typeOID: $0.typeOID, typeModifier: $0.typeModifier, collationOID: $0.collationOID)
        }
    }

    /// The query, with names qualified as the session's `search_path` makes it necessary.
    func definition(on connection: isolated PgConnection) throws -> String {
        let text: String = try connection.query("SELECT pg_get_viewdef($1::oid)", [.int(oid)]).single().value()
        return text.hasSuffix(";") ? String(text.dropLast()) : text
    }
}
