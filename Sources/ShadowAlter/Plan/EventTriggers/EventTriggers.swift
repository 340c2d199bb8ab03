import PgConnection

/// The event triggers of the database that fire in sessions like ours: they run for our statements, too, and may raise an error.
struct EventTriggers: Sendable {
    struct Trigger: Sendable {
        /// Quoted where it needs it.
        var name: String
        var event: String
        var function: String
        /// nil: all.
        var tags: [String]?
    }

    let triggers: [Trigger]

    /// Our sessions have the `session_replication_role` that the role or the database gives them.
    static func read(on connection: isolated PgConnection) throws -> EventTriggers {
        let rows = try connection.query(
            """
            SELECT quote_ident(evtname) AS name, evtevent AS event, evtfoid::regprocedure::text AS function, evttags AS tags
            FROM pg_catalog.pg_event_trigger
            WHERE evtenabled IN ('A', CASE current_setting('session_replication_role') WHEN 'replica' THEN 'R' ELSE 'O' END)
                AND coalesce(current_setting('event_triggers', true), 'on') = 'on'
            ORDER BY evtname
            """)
        return EventTriggers(
            triggers: try rows.rows.map { row in
                Trigger(
                    name: try row.get("name"), event: try row.get("event"), function: try row.get("function"),
                    tags: try row.optional("tags"))
            })
    }

    /// One sentence for each that fires.
    ///
    /// - Parameter footprint: asked only when there are event triggers.
    func warnings(about plan: MigrationPlan, _ footprint: (MigrationPlan) -> CommandFootprint) -> [String] {
        guard !triggers.isEmpty else { return [] }
        let footprint = footprint(plan)
        return triggers.compactMap { $0.warning(footprint) }
    }
}

extension EventTriggers.Trigger {
    /// nil when it does not fire.
    func warning(_ footprint: CommandFootprint) -> String? {
        let ours: Set<String>
        switch event {
        case "ddl_command_start", "ddl_command_end": ours = footprint.commands
        case "sql_drop": ours = footprint.drops
        case "table_rewrite": ours = footprint.rewrites
        case "login":
            return "the event trigger \(name) (login) calls \(function) for every session of this migration; \(failing)"
        default:
            return "the event trigger \(name) (\(event)) may call \(function) for this migration as well; \(failing)"
        }
        let fires = tags.map { ours.intersection($0) } ?? ours
        guard !fires.isEmpty else { return nil }
        let chosen = tags.map { ", tags \($0.joined(separator: ", "))" } ?? ""
        return
            "the event trigger \(name) (\(event)\(chosen)) calls \(function) for this migration's own statements as well: "
            + "\(fires.sorted().joined(separator: ", ")); \(failing)"
    }

    private var failing: String { "an error that it raises ends the run at that statement" }
}
