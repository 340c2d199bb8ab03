import PgConnection

/// The write-ahead log says which rows change.
struct WALLevelCheck: ServerCheck {
    func refusals(on connection: isolated PgConnection) throws -> [Refusal] {
        let level: String = try connection.query("SHOW wal_level").single().value()
        guard level != "logical" else { return [] }
        return [
            Refusal(
                code: "wal-level", object: "wal_level", what: "is \(level)",
                why: "writes are followed by logical replication, which needs wal_level = logical",
                fix: "ALTER SYSTEM SET wal_level = 'logical';  -- and restart the server "
                    + "(on managed services: a parameter, for example rds.logical_replication = 1)")
        ]
    }
}
