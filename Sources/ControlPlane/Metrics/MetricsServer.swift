import NIOCore
import NIOHTTP1
import NIOPosix
import ShadowAlter

/// Serves a run's metrics, its status, and a page to watch it, over HTTP. Read-only, unless a token's file is asked for.
public final class MetricsServer: Sendable {
    public struct Failure: Error, CustomStringConvertible {
        public let description: String
    }

    private let channel: any Channel
    /// Where it listens; with the port that was free, if any was asked for.
    public let address: String
    private let token: ControlTokenFile?

    /// The file of the token that whoever steers over HTTP has to know; nil: nobody can.
    public var tokenFile: String? { token?.path }

    private init(channel: any Channel, address: String, token: ControlTokenFile?) {
        self.channel = channel
        self.address = address
        self.token = token
    }

    /// - Parameter tokenFile: where to write the token for those who may also steer; nil: nobody may.
    /// - Throws: `Failure` when nobody can listen there, or others than this machine's could steer.
    public static func open(
        _ address: ListenAddress, control: any MigrationControl, tokenFile: String? = nil
    ) async throws -> MetricsServer {
        try await open(address, control: control, tokenFile: tokenFile, patience: .seconds(10))
    }

    /// - Parameters:
    ///   - patience: how long a client may stay.
    ///   - lifetime: for how long an answer is good enough for others.
    static func open(
        _ address: ListenAddress, control: any MigrationControl, tokenFile: String? = nil, patience: TimeAmount,
        lifetime: Duration = .seconds(1)
    ) async throws -> MetricsServer {
        guard tokenFile == nil || address.isLoopback else {
            throw Failure(
                description:
                    "--metrics-control at \(address) would send its token over the network as plain text; give a port alone and come through a tunnel (ssh -L)"
            )
        }
        let token = ControlToken.random()
        let pages = MetricsPages(
            status: StatusCache(control, lifetime: lifetime),
            steering: tokenFile.map { _ in ControlPages(control: control, token: token) })
        let rate = RateLimit(perSecond: 50)
        let clients = ClientCount(maximum: 64)
        let bootstrap = ServerBootstrap(group: MultiThreadedEventLoopGroup.singleton)
            .serverChannelOption(.socketOption(.so_reuseaddr), value: 1)
            .childChannelInitializer { channel in
                guard clients.enter() else {
                    return channel.eventLoop.makeFailedFuture(Failure(description: "too many clients"))
                }
                channel.closeFuture.whenComplete { _ in clients.leave() }
                return channel.eventLoop.makeCompletedFuture {
                    try channel.pipeline.syncOperations.configureHTTPServerPipeline(withErrorHandling: true)
                    try channel.pipeline.syncOperations.addHandler(
                        HTTPHandler(pages: pages, rate: rate, patience: patience))
                }
            }
        let channel: any Channel
        do {
            channel = try await bootstrap.bind(host: address.host, port: address.port).get()
        } catch {
            throw Failure(description: "metrics cannot be served at \(address): \(error)")
        }
        do throws(Failure) {
            return MetricsServer(
                channel: channel, address: "\(address.with(port: channel.localAddress?.port ?? address.port))",
                token: try tokenFile.map { path throws(Failure) in try ControlTokenFile.write(token, to: path) })
        } catch {
            try? await channel.close()
            throw error
        }
    }

    public func close() async {
        try? await channel.close()
        token?.remove()
    }
}
