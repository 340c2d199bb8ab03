import PgConnection

/// How a verification has ended, or that one is under way.
public enum VerificationOutcome: String, Codable, Sendable {
    case running
    case passed
    case failed
}

/// What the state tables know of a migration's last verification.
struct VerificationRecord: Sendable {
    /// Seconds since 1970 by the server's clock.
    let startedAt: Double
    /// As PostgreSQL prints it.
    let started: String
    let outcome: VerificationOutcome
    /// As PostgreSQL prints it; nil while it is under way, and when its run has died.
    let endedAt: String?
    let rows: Int64
    let mismatches: Int64

    /// The shadow is known to differ from its source: nothing that cannot be taken back may be built on it.
    var hasFailed: Bool { outcome == .failed }
}

extension StateStore {
    /// nil before the first one.
    static func verification(of id: Int64, on connection: isolated PgConnection) throws -> VerificationRecord? {
        let row = try connection.query(
            """
            SELECT extract(epoch FROM verify_started_at)::float8 AS epoch, verify_started_at::text AS started,
                verify_ended_at::text AS ended, verify_outcome, verify_rows, verify_mismatches
            FROM shadow_alter.migration WHERE id = $1 AND verify_started_at IS NOT NULL
            """, [.int(id)]
        ).first
        return try row.map { row in
            VerificationRecord(
                startedAt: try row.get("epoch"), started: try row.get("started"),
                outcome: VerificationOutcome(rawValue: try row.get("verify_outcome")) ?? .running,
                endedAt: try row.optional("ended"), rows: try row.get("verify_rows"),
                mismatches: try row.get("verify_mismatches"))
        }
    }

    /// Returns when it began, in seconds since 1970 by the server's clock.
    static func beginVerification(of id: Int64, on connection: isolated PgConnection) throws -> Double {
        try connection.query(
            """
            UPDATE shadow_alter.migration SET verify_started_at = clock_timestamp(), verify_ended_at = NULL, verify_outcome = 'running',
                verify_rows = 0, verify_mismatches = 0
            WHERE id = $1 RETURNING extract(epoch FROM verify_started_at)::float8
            """, [.int(id)]
        ).single().value()
    }

    static func endVerification(
        of id: Int64, _ outcome: VerificationOutcome, rows: Int64, mismatches: Int64,
        on connection: isolated PgConnection
    ) throws {
        try connection.query(
            """
            UPDATE shadow_alter.migration SET verify_ended_at = clock_timestamp(), verify_outcome = $2, verify_rows = $3, verify_mismatches = $4
            WHERE id = $1
            """, [.int(id), .text(outcome.rawValue), .int(rows), .int(mismatches)])
    }
}
