import PgConnection

/// Types without lengths and precisions: a cast to `varchar(5)` would shorten a value silently.
struct PlainTypes {
    private var names: [UInt32: String] = [:]

    static func read(_ oids: [UInt32], on connection: isolated PgConnection) throws -> Self {
        let path: String = try connection.query("SELECT current_setting('search_path')").single().value()
        try connection.query("SELECT set_config('search_path', '', true)")
        let rows = try connection.query(
            "SELECT oid, format_type(oid, -1) AS name FROM pg_type WHERE oid = ANY ($1::oid[])",
            [.array(Set(oids).sorted().map { String($0) })])
        try connection.query("SELECT set_config('search_path', $1, true)", [.text(path)])
        return Self(
            names: Dictionary(
                try rows.rows.map { (try $0.get("oid"), try $0.get("name")) }, uniquingKeysWith: { $1 }))
    }

    func of(_ column: ColumnFacts) -> String { names[column.typeOID] ?? column.type }
}
