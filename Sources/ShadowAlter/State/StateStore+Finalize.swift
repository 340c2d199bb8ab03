import PgConnection

extension StateStore {
    /// Together with a piece that is dropped: from the first one on there is no way back.
    static func noteFinalize(_ message: String, of id: Int64, on connection: isolated PgConnection) throws {
        try connection.query(
            """
            UPDATE shadow_alter.migration SET finalize_started_at = coalesce(finalize_started_at, clock_timestamp()), message = $2
            WHERE id = $1
            """, [.int(id), connection.note(message)])
    }

    /// Whether a part of the old tables is dropped.
    static func hasBegunFinalize(of id: Int64, on connection: isolated PgConnection) throws -> Bool {
        try connection.query(
            "SELECT EXISTS (SELECT FROM shadow_alter.migration WHERE id = $1 AND finalize_started_at IS NOT NULL)",
            [.int(id)]
        ).single().value()
    }

    /// How long the old tables are still to be kept, by the server's clock, and until when, as PostgreSQL prints it.
    static func retention(
        _ duration: Duration, of id: Int64, on connection: isolated PgConnection
    ) throws -> (rest: Duration, until: String)? {
        try connection.query(
            """
            SELECT extract(epoch FROM at - clock_timestamp())::float8 AS rest, date_trunc('second', at)::text AS until
            FROM (SELECT ended_at + make_interval(secs => $2::float8) AS at FROM shadow_alter.migration WHERE id = $1) m WHERE at IS NOT NULL
            """, [.int(id), .double(duration.seconds)]
        ).first.map { row in (.seconds(try row.get("rest", as: Double.self)), try row.get("until")) }
    }
}
