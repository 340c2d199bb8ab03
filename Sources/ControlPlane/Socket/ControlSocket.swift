import Glibc
import NIOCore
import NIOPosix
import ShadowAlter

/// The control socket of a run: a Unix socket with mode 0600 that answers one line per command.
public final class ControlSocket: Sendable {
    public struct Failure: Error, CustomStringConvertible {
        public let description: String
        /// Another run listens there.
        public var isInUse = false
    }

    /// Where it is.
    public let path: String
    private let file: SocketFile.Identity
    private let channel: any Channel

    private init(path: String, file: SocketFile.Identity, channel: any Channel) {
        self.path = path
        self.file = file
        self.channel = channel
    }

    /// - Parameter onPanic: is to end the process at once.
    /// - Throws: `Failure` when somebody listens there already, or something else has this name.
    public static func open(
        _ path: String, control: any MigrationControl, onPanic: @escaping @Sendable () -> Void
    ) async throws -> ControlSocket {
        try await open(path, control: control, limits: ClientHandler.Limits(), onPanic: onPanic)
    }

    static func open(
        _ path: String, control: any MigrationControl, limits: ClientHandler.Limits, commandsPerSecond: Int = 50,
        onPanic: @escaping @Sendable () -> Void
    ) async throws -> ControlSocket {
        guard path.utf8.count <= SocketPath.maximumLength else {
            throw Failure(
                description:
                    "the socket's path is longer than \(SocketPath.maximumLength) bytes: \(path); choose another with --socket"
            )
        }
        let isStale = try await prove(path)
        // Nobody can connect before it is complete: the name comes last.
        let draft = "\(path).\(getpid())"
        guard draft.utf8.count <= SocketPath.maximumLength else {
            throw Failure(
                description:
                    "the socket's path is too long by \(draft.utf8.count - SocketPath.maximumLength) bytes: \(path)")
        }
        unlink(draft)
        let bootstrap = ControlListener.bootstrap(
            control, limits: limits, commandsPerSecond: commandsPerSecond, onPanic: onPanic)
        let channel: any Channel
        do {
            channel = try await bootstrap.bind(unixDomainSocketPath: draft).get()
        } catch {
            throw Failure(description: "no socket can be made at \(path): \(error)")
        }
        do {
            let file = try SocketFile.publish(draft, as: path, replacing: isStale)
            return ControlSocket(path: path, file: file, channel: channel)
        } catch {
            try? await channel.close()
            unlink(draft)
            throw error
        }
    }

    /// Returns whether a socket is there that nobody listens to any more. Throws when somebody does, or it is no socket.
    private static func prove(_ path: String) async throws -> Bool {
        guard let kind = SocketFile.kind(of: path) else { return false }
        guard kind == .socket else {
            throw Failure(
                description: "\(path) exists and is no socket; nothing was changed; choose another path with --socket")
        }
        do {
            let channel = try await ClientBootstrap(group: MultiThreadedEventLoopGroup.singleton)
                .connect(unixDomainSocketPath: path).get()
            try? await channel.close()
        } catch {
            return true
        }
        throw Failure(
            description:
                "another run listens on \(path); nothing was changed; end it, or choose another path with --socket",
            isInUse: true)
    }

    /// Ends the socket and removes its file, unless somebody else's has taken its place.
    public func close() async {
        try? await channel.close()
        if SocketFile.identity(of: path) == file { unlink(path) }
    }
}
