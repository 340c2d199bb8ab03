import NIOCore
import NIOHTTP1
import NIOPosix
import ShadowAlter

/// One HEAD request on a connection of its own, as gh-ost makes it: nothing but the answer's status is of interest, and a redirection is not followed.
struct HTTPQuestion: Sendable {
    let address: HTTPAddress
    let patience: Duration

    /// The time was over.
    struct NoAnswer: Error {}
    /// The other side closed the connection, or said something that is no HTTP.
    struct NoStatus: Error, CustomStringConvertible {
        let description = "the connection was closed before an answer came"
    }

    /// Throws whatever keeps it from being known; `CancellationError` when the task was cancelled.
    func status() async throws -> Int {
        let loop = MultiThreadedEventLoopGroup.singleton.any()
        let answer = loop.makePromise(of: Int.self)
        let limit = TimeAmount.nanoseconds(Int64(patience / .nanoseconds(1)))
        let timer = loop.scheduleTask(in: limit) { answer.fail(NoAnswer()) }
        let connection = ClientBootstrap(group: loop)
            .connectTimeout(limit)
            .channelInitializer { [address] channel in
                channel.eventLoop.makeCompletedFuture {
                    try channel.pipeline.syncOperations.addHTTPClientHandlers()
                    try channel.pipeline.syncOperations.addHandler(Asker(address: address, answer: answer))
                }
            }
            .connect(host: address.host, port: address.port)
        connection.cascadeFailure(to: answer)
        // However it ends, the connection goes with it; also one that is there only later.
        answer.futureResult.whenComplete { _ in
            timer.cancel()
            connection.whenSuccess { $0.close(promise: nil) }
        }
        return try await withTaskCancellationHandler {
            try await answer.futureResult.get()
        } onCancel: {
            answer.fail(CancellationError())
        }
    }

    /// What went wrong, for people.
    static func text(_ error: any Error) -> String {
        guard let error = error as? NIOConnectionError else { return "\(error)" }
        if let first = error.connectionErrors.first { return "\(first.error)" }
        return "the name \(error.host) cannot be resolved"
    }
}

/// Sends the request and takes the status of what comes. Lives on its channel's event loop.
private final class Asker: ChannelInboundHandler {
    typealias InboundIn = HTTPClientResponsePart
    typealias OutboundOut = HTTPClientRequestPart

    private let address: HTTPAddress
    private let answer: EventLoopPromise<Int>

    init(address: HTTPAddress, answer: EventLoopPromise<Int>) {
        self.address = address
        self.answer = answer
    }

    func channelActive(context: ChannelHandlerContext) {
        let headers: HTTPHeaders = [
            "Host": address.authority, "User-Agent": "shadow-alter", "Connection": "close",
        ]
        let head = HTTPRequestHead(version: .http1_1, method: .HEAD, uri: address.target, headers: headers)
        context.write(wrapOutboundOut(.head(head)), promise: nil)
        context.writeAndFlush(wrapOutboundOut(.end(nil)), promise: nil)
    }

    func channelRead(context: ChannelHandlerContext, data: NIOAny) {
        if case .head(let head) = unwrapInboundIn(data) { answer.succeed(Int(head.status.code)) }
    }

    func channelInactive(context: ChannelHandlerContext) {
        answer.fail(HTTPQuestion.NoStatus())
    }

    func errorCaught(context: ChannelHandlerContext, error: any Error) {
        answer.fail(error)
        context.close(promise: nil)
    }
}
