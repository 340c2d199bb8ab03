import NIOCore
import NIOHTTP1
import NIOPosix
import Synchronization

/// A web service on loopback that answers every request as it is told at the moment.
package final class CheckServer: Sendable {
    package enum Answer: Sendable {
        case status(Int)
        /// Takes the request and never answers.
        case silence
        /// Closes the connection instead of answering.
        case hangUp
        /// Bytes that are no HTTP.
        case garbage
    }

    private struct State {
        var answer: Answer
        var requests: [String] = []
    }

    private let state: Mutex<State>
    private let channel = Mutex<(any Channel)?>(nil)

    private init(_ answer: Answer) { state = Mutex(State(answer: answer)) }

    package static func open(_ answer: Answer, host: String = "127.0.0.1") async throws -> CheckServer {
        let server = CheckServer(answer)
        let channel = try await ServerBootstrap(group: MultiThreadedEventLoopGroup.singleton)
            .serverChannelOption(.socketOption(.so_reuseaddr), value: 1)
            .childChannelInitializer { channel in
                channel.eventLoop.makeCompletedFuture {
                    // Requests are read by NIO; answers are written as bytes, so that they may be wrong.
                    try channel.pipeline.syncOperations.addHandler(
                        ByteToMessageHandler(HTTPRequestDecoder(leftOverBytesStrategy: .dropBytes)))
                    try channel.pipeline.syncOperations.addHandler(Answerer(server: server))
                }
            }
            .bind(host: host, port: 0).get()
        server.channel.withLock { $0 = channel }
        return server
    }

    package func answer(_ answer: Answer) { state.withLock { $0.answer = answer } }

    package var port: Int { channel.withLock { $0?.localAddress?.port } ?? 0 }
    /// Request lines with the Host header behind them, oldest first.
    package var requests: [String] { state.withLock { $0.requests } }

    package func close() async { try? await channel.withLock { $0 }?.close() }

    fileprivate func take(_ request: String) -> Answer {
        state.withLock {
            $0.requests.append(request)
            return $0.answer
        }
    }
}

private final class Answerer: ChannelInboundHandler {
    typealias InboundIn = HTTPServerRequestPart
    typealias OutboundOut = ByteBuffer

    private let server: CheckServer

    init(server: CheckServer) { self.server = server }

    func channelRead(context: ChannelHandlerContext, data: NIOAny) {
        guard case .head(let head) = unwrapInboundIn(data) else { return }
        let text: String
        switch server.take("\(head.method.rawValue) \(head.uri) \(head.headers.first(name: "Host") ?? "")") {
        case .status(let code): text = "HTTP/1.1 \(code) Said\r\nContent-Length: 0\r\n\r\n"
        case .garbage: text = "I am no HTTP\r\n\r\n"
        case .silence: return
        case .hangUp:
            context.close(promise: nil)
            return
        }
        context.writeAndFlush(wrapOutboundOut(ByteBuffer(string: text)), promise: nil)
    }
}
