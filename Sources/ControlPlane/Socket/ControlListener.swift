import NIOCore
import NIOPosix
import ShadowAlter

/// What the Unix socket and the TCP port have in common: a server that answers lines, with the same limits.
enum ControlListener {
    private struct TooManyClients: Error {}

    static func bootstrap(
        _ control: any MigrationControl, limits: ClientHandler.Limits, commandsPerSecond: Int,
        onPanic: @escaping @Sendable () -> Void
    ) -> ServerBootstrap {
        let rate = RateLimit(perSecond: commandsPerSecond)
        let clients = ClientCount(maximum: 64)
        return ServerBootstrap(group: MultiThreadedEventLoopGroup.singleton)
            .childChannelOption(.allowRemoteHalfClosure, value: true)
            .childChannelInitializer { channel in
                guard clients.enter() else { return channel.eventLoop.makeFailedFuture(TooManyClients()) }
                channel.closeFuture.whenComplete { _ in clients.leave() }
                return channel.eventLoop.makeCompletedFuture {
                    try channel.pipeline.syncOperations.addHandlers(
                        ByteToMessageHandler(LineDecoder()),
                        ClientHandler(
                            interpreter: CommandInterpreter(control: control), rate: rate, limits: limits,
                            onPanic: onPanic))
                }
            }
    }
}
