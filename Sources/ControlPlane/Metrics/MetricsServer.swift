import NIOCore
import NIOHTTP1
import NIOPosix
import ShadowAlter

/// Serves a run's metrics, its status, and a page to watch it, over HTTP. Read-only.
public final class MetricsServer: Sendable {
    public struct Failure: Error, CustomStringConvertible {
        public let description: String
    }

    private let channel: any Channel
    /// Where it listens; with the port that was free, if any was asked for.
    public let address: String

    private init(channel: any Channel, address: String) {
        self.channel = channel
        self.address = address
    }

    /// Throws `Failure` when nobody can listen there.
    public static func open(_ address: ListenAddress, control: any MigrationControl) async throws -> MetricsServer {
        try await open(address, control: control, patience: .seconds(10))
    }

    /// - Parameter patience: how long a client may stay.
    static func open(
        _ address: ListenAddress, control: any MigrationControl, patience: TimeAmount
    ) async throws -> MetricsServer {
        let pages = MetricsPages(control: control)
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
        do {
            let channel = try await bootstrap.bind(host: address.host, port: address.port).get()
            let port = channel.localAddress?.port ?? address.port
            return MetricsServer(
                channel: channel, address: "\(address)".hasSuffix(":\(port)") ? "\(address)" : "\(address.host):\(port)"
            )
        } catch {
            throw Failure(description: "metrics cannot be served at \(address): \(error)")
        }
    }

    public func close() async { try? await channel.close() }
}
