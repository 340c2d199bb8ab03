import ControlPlane
import Glibc
import Logging
import ShadowAlter
import Synchronization

/// Where a run can be steered and watched: its control socket, and its metrics if they are wanted.
final class ControlPoints: Sendable {
    private struct Open {
        var socket: ControlSocket?
        var metrics: MetricsServer?
    }

    private let socketPath: String?
    private let metrics: ListenAddress?
    private let log: Logger
    private let points = Mutex(Open())

    /// - Parameters:
    ///   - socketPath: nil: the standard one.
    ///   - metrics: nil: none.
    init(socketPath: String?, metrics: ListenAddress?, log: Logger) {
        self.socketPath = socketPath
        self.metrics = metrics
        self.log = log
    }

    /// Returns the socket's path.
    func open(_ started: StartedMigration, _ control: any MigrationControl) async throws -> String {
        let socket = try await openSocket(started, control)
        points.withLock { $0.socket = socket }
        log.notice("the control socket is \(socket.path)")
        if let metrics {
            let server = try await MetricsServer.open(metrics, control: control)
            points.withLock { $0.metrics = server }
            log.notice("metrics, and a page to watch the run, are at http://\(server.address)/")
        }
        return socket.path
    }

    private func openSocket(_ started: StartedMigration, _ control: any MigrationControl) async throws -> ControlSocket
    {
        func open(_ path: String) async throws -> ControlSocket {
            try await ControlSocket.open(path, control: control) {
                Terminal.printError(
                    "\nEnded by `panic`. State: what was recorded is kept.\nNext: run the same command again; it continues."
                )
                _exit(1)
            }
        }
        if let socketPath { return try await open(socketPath) }
        do {
            return try await open(SocketPath.standard(database: started.database, migration: started.name))
        } catch let failure as ControlSocket.Failure where failure.isInUse {
            // No other run is at work on this table, so that this one is on another server.
            return try await open(
                SocketPath.standard(database: started.database, migration: started.name, server: started.server))
        }
    }

    func close() async {
        let open = points.withLock { $0 }
        await open.socket?.close()
        await open.metrics?.close()
    }
}
