import PgConnection

/// Measures the load that limits are set for. Rates are those since the measurement before.
struct LoadMeter: Sendable {
    private struct Sample {
        var value: Double
        var at: ContinuousClock.Instant
    }

    private var lastWAL: Sample?
    private var checkpoints: [Sample] = []

    /// nil while there is nothing to compare with yet.
    mutating func measure(_ measure: LoadLimit.Measure, on connection: PgConnection) async throws -> Double? {
        switch measure {
        case .activeSessions:
            return try await number(
                """
                SELECT count(*) FROM pg_stat_activity
                WHERE backend_type = 'client backend' AND state = 'active' AND application_name NOT LIKE 'shadow-alter %'
                """, on: connection)
        case .lockWaiters:
            return try await number(
                """
                SELECT count(*) FROM pg_stat_activity
                WHERE backend_type = 'client backend' AND wait_event_type = 'Lock' AND application_name NOT LIKE 'shadow-alter %'
                """, on: connection)
        case .walRate:
            let now = Sample(
                value: try await number("SELECT pg_wal_lsn_diff(pg_current_wal_insert_lsn(), '0/0')", on: connection)
                    ?? 0,
                at: .now)
            defer { lastWAL = now }
            guard let last = lastWAL else { return nil }
            return (now.value - last.value) / max((now.at - last.at).seconds, 0.001)
        case .requestedCheckpoints:
            let sql =
                connection.serverVersion.major >= 17
                ? "SELECT num_requested FROM pg_stat_checkpointer" : "SELECT checkpoints_req FROM pg_stat_bgwriter"
            let now = Sample(value: try await number(sql, on: connection) ?? 0, at: .now)
            checkpoints.removeAll { now.at - $0.at > .seconds(60) }
            checkpoints.append(now)
            return now.value - checkpoints[0].value
        case .query(let sql):
            return try await number(sql, on: connection)
        }
    }

    private func number(_ sql: String, on connection: PgConnection) async throws -> Double? {
        try await connection.run { connection in
            try connection.execute("BEGIN READ ONLY")
            do {
                let text = try connection.execute(sql).first?.text(0)
                try connection.execute("COMMIT")
                return text.flatMap(Self.number)
            } catch {
                _ = try? connection.execute("ROLLBACK")
                throw error
            }
        }
    }

    /// A number or a boolean as PostgreSQL prints it.
    static func number(_ text: String) -> Double? {
        switch text {
        case "t": 1
        case "f": 0
        default: Double(text)
        }
    }
}
