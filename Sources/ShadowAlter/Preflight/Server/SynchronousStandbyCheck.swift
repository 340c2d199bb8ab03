import PgConnection

/// Our own stream must not be taken for a synchronous standby.
struct SynchronousStandbyCheck: ServerCheck {
    func refusals(on connection: isolated PgConnection) throws -> [Refusal] {
        let names: String = try connection.query("SELECT current_setting('synchronous_standby_names')").single().value()
        // `*` matches every application_name (documentation, synchronous_standby_names), also a logical walsender's.
        guard names.contains("*") else { return [] }
        return [
            Refusal(
                code: "any-standby-is-synchronous", object: "synchronous_standby_names",
                what: "is \(Quoting.literal(names)), which every replication connection matches",
                why: "the application's commits could wait for this tool's change stream to confirm them",
                fix:
                    "name the standbys: ALTER SYSTEM SET synchronous_standby_names = 'ANY 1 (standby1, standby2)';  -- and reload"
            )
        ]
    }
}
