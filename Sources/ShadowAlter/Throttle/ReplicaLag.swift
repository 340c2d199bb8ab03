import PgConnection
import PgOutput

/// How far standbys are behind: those that stream from the primary as it sees them, or listed ones that are asked themselves.
actor ReplicaLag {
    struct Standby: Sendable {
        var name: String
        var lag: Duration
    }

    private var history = LagHistory()
    private var connections: [String: PgConnection] = [:]

    /// Where the primary is now. Once a second, whether or not anybody asks.
    func note(on primary: PgConnection) async throws {
        let end: String = try await primary.query("SELECT pg_current_wal_lsn()::text").single().value()
        if let end = LSN(end) { history.note(end, at: .now) }
    }

    /// All physical standbys that are connected.
    func streaming(from primary: PgConnection) async throws -> [Standby] {
        try await primary.run { [history] connection in
            try connection.query(
                """
                SELECT coalesce(nullif(r.application_name, ''), 'walreceiver') || coalesce(' at ' || host(r.client_addr), '') AS name,
                    r.replay_lsn::text AS replayed
                FROM pg_stat_replication r
                WHERE r.state = 'streaming' AND r.replay_lsn IS NOT NULL
                    AND NOT EXISTS (SELECT FROM pg_replication_slots s WHERE s.active_pid = r.pid AND s.slot_type = 'logical')
                ORDER BY 1
                """
            ).rows.compactMap { row in
                guard let replayed = LSN(try row.get("replayed", as: String.self)) else { return nil }
                return Standby(name: try row.get("name"), lag: history.lag(replayed: replayed, now: .now))
            }
        }
    }

    /// Asks a standby itself. A server that is no standby is not behind.
    ///
    /// - Parameter name: for people; the connection string may hold a password.
    func ask(_ conninfo: String, name: String) async throws -> Standby {
        do {
            let connection: PgConnection
            if let open = connections[conninfo] {
                connection = open
            } else {
                connection = try await PgConnection.connect(
                    ConnectionOptions(conninfo: conninfo).session(.throttle))
                connections[conninfo] = connection
            }
            let row = try await connection.query(
                "SELECT pg_last_wal_replay_lsn()::text AS replayed, pg_is_in_recovery() AS standby"
            ).single()
            guard try row.get("standby"), let text: String = try row.optional("replayed"), let replayed = LSN(text)
            else {
                return Standby(name: name, lag: .zero)
            }
            return Standby(name: name, lag: history.lag(replayed: replayed, now: .now))
        } catch {
            await connections.removeValue(forKey: conninfo)?.close()
            throw error
        }
    }

    func close() async {
        for connection in connections.values { await connection.close() }
        connections = [:]
    }
}
