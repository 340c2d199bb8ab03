import Logging
import PgConnection

/// What runs beside the work for as long as it lasts: the stream, the heartbeat, and the look at the server's load.
struct StreamEscort: Sendable {
    /// Whose steering is obeyed, and whose spools are watched.
    let record: MigrationRecord
    let stream: ChangeStream
    let connections: ConnectionOptions
    let settings: LiveSettings
    let throttle: Throttle
    let obedience: Obedience
    let status: StatusBox
    let log: Logger

    /// Returns when the work has ended; whoever fails first ends all.
    func run(_ work: @escaping @Sendable (Heartbeat) async throws -> Void) async throws {
        let heartbeat = Heartbeat(
            record: record, connection: obedience.connection, stream: stream, settings: settings, throttle: throttle,
            obedience: obedience, status: status, log: log)
        try await withThrowingTaskGroup(of: Bool.self) { group in
            group.addTask { [stream] in
                try await stream.run()
                return false
            }
            group.addTask {
                try await heartbeat.run()
                return false
            }
            group.addTask { [connections, settings, throttle, log] in
                let watch = ThrottleWatch(connections: connections, settings: settings, throttle: throttle, log: log)
                try await watch.run()
                return false
            }
            group.addTask {
                try await work(heartbeat)
                return true
            }
            // The others end by an error only.
            _ = try await group.next()
            group.cancelAll()
        }
    }
}
