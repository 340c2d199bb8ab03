import PgConnection

/// There is room for one more replication connection.
struct WALSenderCheck: ServerCheck {
    func refusals(on connection: isolated PgConnection) throws -> [Refusal] {
        // pg_stat_replication shows every walsender to everybody, only without its particulars.
        let row = try connection.query(
            """
            SELECT current_setting('max_wal_senders')::int AS maximum, count(*) AS used
            FROM pg_catalog.pg_stat_replication
            """
        ).single()
        let maximum: Int = try row.get("maximum")
        let used: Int = try row.get("used")
        guard used >= maximum else { return [] }
        return [
            Refusal(
                code: "no-free-walsender", object: "max_wal_senders",
                what: "is \(maximum), and \(used) replication connections are open",
                why: "a migration follows the table's writes through a replication connection of its own",
                fix:
                    "ALTER SYSTEM SET max_wal_senders = \(used + 5);  -- and restart the server; or end one of those in "
                    + "pg_stat_replication")
        ]
    }
}
