import PgConnection

/// Event triggers of the user run on our DDL too.
struct EventTriggerWarning: TableWarning {
    func warnings(for table: InspectedTable, on connection: isolated PgConnection) throws -> [String] {
        try connection.query(
            """
            SELECT quote_ident(evtname) AS name, evtevent AS event, evtfoid::regprocedure::text AS function
            FROM pg_catalog.pg_event_trigger WHERE evtenabled IN ('O', 'A') ORDER BY evtname
            """
        ).rows.map { row in
            let name: String = try row.get("name")
            let event: String = try row.get("event")
            let function: String = try row.get("function")
            return
                "the event trigger \(name) (\(event)) calls \(function) for the statements of this migration as well: CREATE and "
                + "ALTER TABLE, CREATE INDEX, CREATE and DROP SCHEMA"
        }
    }
}
