import ControlPlane
import Glibc
import Logging
import ShadowAlter
import Synchronization

/// Where a run can be steered and watched: its control socket, and its metrics if they are wanted.
final class ControlPoints: Sendable {
    struct Wanted: Sendable {
        /// nil: the standard one.
        var socketPath: String?
        /// For the same commands over TCP; nil: none.
        var port: ListenAddress?
        /// nil: none.
        var metrics: ListenAddress?
        /// Whether the page has buttons, for those who know the token.
        var isMetricsControlWanted = false
    }

    private struct Open {
        var socket: ControlSocket?
        var port: ControlPort?
        var metrics: MetricsServer?
    }

    private let wanted: Wanted
    private let log: Logger
    private let points = Mutex(Open())

    init(_ wanted: Wanted, log: Logger) {
        self.wanted = wanted
        self.log = log
    }

    /// Returns the socket's path.
    func open(_ started: StartedMigration, _ control: any MigrationControl) async throws -> String {
        let socket = try await openSocket(started, control)
        points.withLock { $0.socket = socket }
        log.notice("the control socket is \(socket.path)")
        if let address = wanted.port {
            let port = try await ControlPort.open(address, control: control, onPanic: Self.panic)
            points.withLock { $0.port = port }
            log.warning("every account of this machine may steer the run by \(port.address), as --socket-tcp wants it")
        }
        if let address = wanted.metrics {
            let server = try await MetricsServer.open(
                address, control: control, tokenFile: wanted.isMetricsControlWanted ? "\(socket.path).token" : nil)
            points.withLock { $0.metrics = server }
            log.notice("metrics, and a page to watch the run, are at http://\(server.address)/")
            if let file = server.tokenFile { log.notice("the token for the page's buttons is in \(file)") }
        }
        return socket.path
    }

    private func openSocket(_ started: StartedMigration, _ control: any MigrationControl) async throws -> ControlSocket
    {
        func open(_ path: String) async throws -> ControlSocket {
            try await ControlSocket.open(path, control: control, onPanic: Self.panic)
        }
        if let socketPath = wanted.socketPath { return try await open(socketPath) }
        do {
            return try await open(SocketPath.standard(database: started.database, migration: started.name))
        } catch let failure as ControlSocket.Failure where failure.isInUse {
            // No other run is at work on this table, so that this one is on another server.
            return try await open(
                SocketPath.standard(database: started.database, migration: started.name, server: started.server))
        }
    }

    @Sendable private static func panic() {
        Terminal.printError(
            "\nEnded by `panic`. State: what was recorded is kept.\nNext: run the same command again; it continues.")
        _exit(1)
    }

    func close() async {
        let open = points.withLock { $0 }
        await open.socket?.close()
        await open.port?.close()
        await open.metrics?.close()
    }
}
