import PgConnection

/// The server accepts writes.
struct RecoveryCheck: ServerCheck {
    func refusals(on connection: isolated PgConnection) throws -> [Refusal] {
        guard try connection.query("SELECT pg_is_in_recovery()").single().value(as: Bool.self) else { return [] }
        return [
            Refusal(
                code: "standby", object: "the server", what: "is a standby, or still recovering",
                why: "tables can be changed on the primary only",
                fix: "connect to the primary; with several hosts in --dsn, add target_session_attrs=read-write")
        ]
    }
}
