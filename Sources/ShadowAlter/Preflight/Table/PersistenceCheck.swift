import PgConnection

/// The table's changes are in the write-ahead log.
struct PersistenceCheck: TableCheck {
    func findings(for table: InspectedTable, on connection: isolated PgConnection) throws -> [Finding] {
        let why = "its changes are not in the write-ahead log, so that nobody can follow them"
        switch table.persistence {
        case "u":
            return [
                Finding(
                    Refusal(
                        code: "unlogged-table", object: table.name, what: "is unlogged", why: why,
                        fix:
                            "ALTER TABLE \(table.name) SET LOGGED;  -- rewrites it under a lock; or change it by ALTER TABLE"
                    ))
            ]
        case "t":
            return [
                Finding(
                    Refusal(
                        code: "temporary-table", object: table.name, what: "is temporary", why: why,
                        fix: "change it by ALTER TABLE in the session that it belongs to"))
            ]
        default: return []
        }
    }
}
