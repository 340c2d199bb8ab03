import PgConnection
import Testing

@testable import ShadowAlter

/// That a refused request has touched nothing, for all tests of refusals.
enum Untouched {
    /// What `plan` and `run` refuse the request for: the same, and neither leaves a trace. Empty, and an issue, when it is not refused.
    static func refusals(
        _ request: MigrationRequest, connections: ConnectionOptions, control: PgConnection,
        sourceLocation: SourceLocation
    ) async throws -> [Refusal] {
        let before = try await state(control)
        var planned: [Refusal] = []
        do {
            _ = try await Planning.dryRun(request, connections: connections)
            Issue.record("plan does not refuse it", sourceLocation: sourceLocation)
        } catch let refused as Refused {
            planned = refused.refusals
        }
        try await expect(before, "after plan", control, sourceLocation)
        do {
            let log = CapturedLog()
            _ = try await Migration(request, connections: connections, options: .quick, log: log.logger()).run()
            Issue.record("run does not refuse it", sourceLocation: sourceLocation)
        } catch let refused as Refused {
            #expect(refused.refusals == planned, sourceLocation: sourceLocation)
        }
        try await expect(before, "after run", control, sourceLocation)
        return planned
    }

    private static func expect(
        _ before: [String], _ when: String, _ control: PgConnection, _ sourceLocation: SourceLocation
    ) async throws {
        let difference = try await state(control).difference(from: before)
        #expect(difference.isEmpty, "something was touched \(when): \(difference)", sourceLocation: sourceLocation)
    }

    /// Every catalog and every table, each with a sum over the places and the transactions of its rows, and all slots of the server.
    ///
    /// Every committed write leaves another place or another transaction behind it, also one that was taken back. What ANALYZE writes by
    /// itself is left out.
    static func state(_ connection: PgConnection) async throws -> [String] {
        try await connection.run { connection in
            let tables = try connection.query(
                """
                SELECT format('%I.%I', n.nspname, c.relname) FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace
                WHERE c.relkind IN ('r', 'm') AND c.relispopulated AND n.nspname NOT IN ('pg_toast', 'information_schema')
                    AND c.relpersistence <> 't' AND c.relname NOT IN ('pg_statistic', 'pg_statistic_ext_data', 'pg_shdepend', 'pg_database')
                ORDER BY 1
                """
            ).rows.map { try $0.value(as: String.self) }
            let sums = tables.map { table in
                "SELECT \(Quoting.literal(table)), count(*), coalesce(sum(hashtextextended(ctid::text || xmin::text, 0)), 0) FROM ONLY \(table)"
            }
            let slots = "SELECT 'slot ' || slot_name || ' ' || coalesce(database, ''), 0, 0 FROM pg_replication_slots"
            return try connection.query((sums + [slots]).joined(separator: "\nUNION ALL ") + "\nORDER BY 1").rows.map {
                [$0.text(0), $0.text(1), $0.text(2)].map { $0 ?? "" }.joined(separator: " ")
            }
        }
    }
}
