import FoundationEssentials
import PgConnection

extension StateStore {
    /// What operators have asked of the migration, with the server's time in seconds since 1970; nil when the migration is gone.
    static func steering(of id: Int64, on connection: isolated PgConnection) throws -> (Steering, now: Double)? {
        try steering(of: id, suffix: "", on: connection)
    }

    /// Adds a command to what was asked. In the caller's transaction. Returns nil when the migration is gone.
    static func steer(
        _ command: SteeringCommand, _ id: Int64, on connection: isolated PgConnection
    ) throws -> (Steering, now: Double)? {
        guard let found = try steering(of: id, suffix: "FOR UPDATE", on: connection) else { return nil }
        var steering = found.0
        steering.apply(command, now: found.now)
        let text = String(decoding: try JSONEncoder().encode(steering), as: UTF8.self)
        try connection.query(
            "UPDATE shadow_alter.migration SET steering = $2 WHERE id = $1", [.int(id), .text(text)])
        return (steering, found.now)
    }

    /// Outside of a transaction: somebody may end the migration, and the state tables with it, between two questions. Then there is nothing: nil.
    static func whileThere<Value>(_ body: () async throws -> Value?) async throws -> Value? {
        do {
            return try await body()
        } catch let error as PgError where error.sqlState?.isAboutAMissingObject == true {
            return nil
        }
    }

    /// What a run says of itself for those who only see the state tables.
    static func setCondition(
        _ condition: MigrationStatus.Condition, reason: String?, _ estimate: Estimate, of id: Int64,
        on connection: isolated PgConnection
    ) throws {
        try connection.query(
            """
            UPDATE shadow_alter.migration SET condition = $2, reason = $3, phase_eta = $4::float8, eta = $5::float8, eta_at = clock_timestamp()
            WHERE id = $1
            """,
            [
                .int(id), .text(condition.rawValue), connection.note(reason), .text(estimate.phase.map { "\($0)" }),
                .text(estimate.total.map { "\($0)" }),
            ])
    }

    /// Where the run that is alive can be spoken to.
    static func setSocket(_ path: String?, of id: Int64, on connection: isolated PgConnection) throws {
        try connection.query("UPDATE shadow_alter.migration SET socket = $2 WHERE id = $1", [.int(id), .text(path)])
    }

    private static func steering(
        of id: Int64, suffix: String, on connection: isolated PgConnection
    ) throws -> (Steering, now: Double)? {
        let row = try connection.query(
            """
            SELECT steering, extract(epoch FROM clock_timestamp())::float8 AS now FROM shadow_alter.migration WHERE id = $1 \(suffix)
            """, [.int(id)]
        ).first
        guard let row else { return nil }
        let text: String = try row.get("steering")
        do {
            return (try JSONDecoder().decode(Steering.self, from: Data(text.utf8)), try row.get("now"))
        } catch let error as DecodingError {
            throw MigrationError(
                .inconsistent,
                "what was asked of migration \(id), as it is recorded in shadow_alter.migration.steering, cannot be read: \(error)",
                state: "no live table was touched by this",
                advice: "use the version of shadow-alter that wrote it, or set the column to '{}'")
        }
    }
}
