import NIOCore
import NIOPosix
import ShadowAlter

/// The control socket's commands on a TCP port of this machine's loopback. Nobody is asked who they are: every account of the machine may steer.
public final class ControlPort: Sendable {
    private let channel: any Channel
    /// Where it listens; with the port that was free, if any was asked for.
    public let address: ListenAddress

    private init(channel: any Channel, address: ListenAddress) {
        self.channel = channel
        self.address = address
    }

    /// - Parameter onPanic: is to end the process at once.
    /// - Throws: `ControlSocket.Failure` when nobody can listen there, or others than this machine's could connect.
    public static func open(
        _ address: ListenAddress, control: any MigrationControl, onPanic: @escaping @Sendable () -> Void
    ) async throws -> ControlPort {
        try await open(address, control: control, limits: ClientHandler.Limits(), onPanic: onPanic)
    }

    static func open(
        _ address: ListenAddress, control: any MigrationControl, limits: ClientHandler.Limits,
        onPanic: @escaping @Sendable () -> Void
    ) async throws -> ControlPort {
        guard address.isLoopback else {
            throw ControlSocket.Failure(
                description:
                    "the control port would be open to other machines at \(address), and it asks nobody for a password; give a port alone, or 127.0.0.1 or [::1] before it"
            )
        }
        var limits = limits
        // A web page can make its visitor's browser send lines here, but not without others before them.
        limits.forgivesNonsense = false
        do {
            let channel = try await ControlListener.bootstrap(
                control, limits: limits, commandsPerSecond: 50, onPanic: onPanic
            )
            .serverChannelOption(.socketOption(.so_reuseaddr), value: 1)
            .bind(host: address.host, port: address.port).get()
            return ControlPort(
                channel: channel, address: address.with(port: channel.localAddress?.port ?? address.port))
        } catch {
            throw ControlSocket.Failure(
                description: "no control port can be opened at \(address): \(error); choose another with --socket-tcp")
        }
    }

    public func close() async { try? await channel.close() }
}
