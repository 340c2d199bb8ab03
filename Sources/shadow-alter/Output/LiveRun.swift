import ControlPlane
import Glibc
import Logging
import PgConnection
import ShadowAlter
import Synchronization

/// A migration with its progress display and its log.
struct LiveRun: Sendable {
    let log: Logger
    private let migration: Migration
    private let display: ProgressDisplay
    private let socket = SocketBox()

    var status: StatusBox { migration.status }

    init(
        request: MigrationRequest, connections: ConnectionOptions, options: MigrationOptions, output: OutputArguments,
        socketPath: String? = nil
    ) {
        let wantsLine = output.progress == .auto && output.logFormat == .text && Terminal.standardErrorIsTerminal
        let line = wantsLine ? ProgressLine() : nil
        log = Logger(label: "shadow-alter") { [format = output.logFormat] _ in LogOutput(format: format, line: line) }
        migration = Migration(request, connections: connections, options: options, log: log) {
            [log, socket] started, control in
            let path = socketPath ?? SocketPath.standard(database: started.database, migration: started.name)
            let opened = try await ControlSocket.open(path, control: control) {
                Terminal.printError(
                    "\nEnded by `panic`. State: what was recorded is kept.\nNext: run the same command again; it continues."
                )
                _exit(1)
            }
            socket.set(opened)
            log.notice("the control socket is \(path)")
            return path
        }
        display = ProgressDisplay(
            status: migration.status, mode: output.logFormat == .json ? .off : output.progress, line: line)
    }

    /// The display has ended when this returns or throws.
    func run() async throws -> MigrationSummary {
        let progress = Task { await display.run() }
        let result: Result<MigrationSummary, any Error>
        do { result = .success(try await migration.run()) } catch { result = .failure(error) }
        await socket.close()
        progress.cancel()
        await progress.value
        return try result.get()
    }
}

/// The run's socket, once there is one.
private final class SocketBox: Sendable {
    private let socket = Mutex<ControlSocket?>(nil)

    func set(_ new: ControlSocket) { socket.withLock { $0 = new } }

    func close() async { await socket.withLock { $0 }?.close() }
}
