import Logging
import PgConnection

extension PgConnection {
    /// Connects a session for one of several lanes that share some work, in their order, so that the first has the first place that is free.
    ///
    /// - Parameter lane: from 0.
    /// - Returns: nil where the server has no place for one more than the first: that is no reason to end the work.
    static func connect(
        lane: Int, _ options: ConnectionOptions, for role: SessionRole, plan: MigrationPlan, log: Logger
    ) async throws -> PgConnection? {
        do {
            return try await connect(options, for: role, plan: plan)
        } catch let error as PgError where lane > 0 && error.code == .connectionFailed {
            log.warning(
                "lane \(lane + 1) of the work of \(role.rawValue) cannot connect, the others go on without it: \(error.message)"
            )
            return nil
        }
    }

    /// Closes it after the body, whatever that does.
    nonisolated func closing<Value>(after body: (PgConnection) async throws -> Value) async throws -> Value {
        do {
            let value = try await body(self)
            await close()
            return value
        } catch {
            await close()
            throw error
        }
    }
}
