import PgConnection

/// Preflight and plan in one: what `plan` shows is what `run` does.
public enum Planning {
    /// Inside the caller's transaction, which is rolled back for a dry run and committed for a real one.
    ///
    /// Throws `Refused` with everything that preflight found.
    static func plan(_ request: MigrationRequest, on connection: isolated PgConnection) throws -> MigrationPlan {
        // The same questions are asked of every table, and planning one takes longer than answering it.
        try connection.execute("SET LOCAL plan_cache_mode = force_generic_plan")
        let plan = try connection.remembering { connection in
            let refusals = try Preflight.check(request, on: connection)
            guard refusals.isEmpty else { throw Refused(refusals) }
            // Whatever the clone needs from others, nobody shall wait for us.
            try connection.execute("SET LOCAL lock_timeout = '5s'")
            return try Planner.plan(request, on: connection)
        }
        try connection.execute("SET LOCAL plan_cache_mode = DEFAULT")
        return plan
    }

    /// Plans and leaves nothing behind.
    public static func dryRun(_ request: MigrationRequest, connections: ConnectionOptions) async throws -> MigrationPlan
    {
        let connection = try await PgConnection.connect(connections, for: .control)
        do {
            let plan = try await connection.rolledBackTransaction { try Self.plan(request, on: $0) }
            await connection.close()
            return plan
        } catch {
            await connection.close()
            throw error
        }
    }
}
