import Logging
import PgConnection

/// What runs beside the work for as long as it lasts: the stream, the heartbeat, and the look at the server's load.
struct StreamEscort: Sendable {
    /// Whose steering is obeyed, and whose spools are watched.
    let record: MigrationRecord
    let stream: ChangeStream
    /// Has the tables' locks.
    let control: PgConnection
    let connections: ConnectionOptions
    let settings: LiveSettings
    let throttle: Throttle
    let obedience: Obedience
    let status: StatusBox
    let log: Logger
    /// The record's tables are those of the way back.
    var isFollowing = false

    /// Returns when the work has ended; whoever fails first ends all.
    func run<Value: Sendable>(_ work: @escaping @Sendable (Heartbeat) async throws -> Value) async throws -> Value {
        do {
            return try await escort(work)
        } catch let error as MigrationError where error.isFinal {
            // For those who come later: nothing else remembers why.
            try? await obedience.connection.run { [record] in
                try StateStore.setMessage("\(error.message). Next: \(error.advice)", of: record.id, on: $0)
            }
            throw error
        } catch {
            let explained = try? await obedience.connection.run { [record, isFollowing] in
                try MigrationError.explaining(error, record, isFollowing: isFollowing, on: $0)
            }
            throw (explained ?? nil) ?? error
        }
    }

    private func escort<Value: Sendable>(
        _ work: @escaping @Sendable (Heartbeat) async throws -> Value
    ) async throws -> Value {
        let heartbeat = Heartbeat(
            record: record, connection: obedience.connection, owner: control.backendPID, stream: stream,
            settings: settings, throttle: throttle, obedience: obedience, status: status, log: log)
        return try await withThrowingTaskGroup(of: Value?.self) { group in
            group.addTask { [stream] in
                try await stream.run()
                return nil
            }
            group.addTask {
                try await heartbeat.run()
                return nil
            }
            group.addTask { [connections, settings, throttle, log] in
                let watch = ThrottleWatch(connections: connections, settings: settings, throttle: throttle, log: log)
                try await watch.run()
                return nil
            }
            group.addTask {
                try await work(heartbeat)
            }
            // The others end by an error only.
            let value = try await group.next()
            group.cancelAll()
            guard let value, let value else { throw CancellationError() }
            return value
        }
    }
}
