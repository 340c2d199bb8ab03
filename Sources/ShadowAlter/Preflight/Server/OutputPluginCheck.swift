import PgConnection

/// Slots may be made with `pgoutput`.
///
/// The minor versions of 2026 (PostgreSQL 15.19 and its siblings) have `output_plugin_libraries`, which holds for superusers, too. Only they and members of
/// `pg_read_all_settings` see it: for others `pg_settings` has no such row, and the server's own refusal of the slot says what to do.
struct OutputPluginCheck: ServerCheck {
    func refusals(on connection: isolated PgConnection) throws -> [Refusal] {
        let row = try connection.query(
            """
            SELECT setting FROM pg_catalog.pg_settings
            WHERE name = 'output_plugin_libraries' AND NOT EXISTS (
                SELECT FROM unnest(string_to_array(setting, ',')) AS library WHERE btrim(library, ' "') = 'pgoutput')
            """
        ).first
        guard let libraries: String = try row?.get("setting") else { return [] }
        return [
            Refusal(
                code: "output-plugin-not-allowed", object: "output_plugin_libraries",
                what: "is '\(libraries)', without pgoutput",
                why: "a migration follows the table's writes through a slot whose output plugin is pgoutput",
                fix: "add pgoutput to it in postgresql.conf, or by ALTER SYSTEM;  -- and SELECT pg_reload_conf()")
        ]
    }
}
