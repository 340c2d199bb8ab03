import PgConnection

/// There is room for one more replication slot.
struct SlotCheck: ServerCheck {
    func refusals(on connection: isolated PgConnection) throws -> [Refusal] {
        let row = try connection.query(
            """
            SELECT current_setting('max_replication_slots')::int AS maximum, count(*) AS used,
                coalesce(string_agg(quote_ident(slot_name), ', ' ORDER BY slot_name) FILTER (WHERE NOT active), '') AS idle
            FROM pg_catalog.pg_replication_slots
            """
        ).single()
        let maximum: Int = try row.get("maximum")
        let used: Int = try row.get("used")
        let idle: String = try row.get("idle")
        guard used >= maximum else { return [] }
        let drop = "SELECT pg_drop_replication_slot('…');  -- for a slot that nobody needs; unused now: \(idle); or "
        return [
            Refusal(
                code: "no-free-slot", object: "max_replication_slots",
                what: "is \(maximum), and \(used) replication slots exist",
                why: "a migration follows the table's writes through a slot of its own",
                fix: (idle.isEmpty ? "" : drop)
                    + "ALTER SYSTEM SET max_replication_slots = \(used + 5);  -- and restart the server")
        ]
    }
}
