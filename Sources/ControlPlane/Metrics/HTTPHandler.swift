import NIOCore
import NIOHTTP1

/// Answers one request and closes the connection. Lives on its channel's event loop.
final class HTTPHandler: ChannelInboundHandler {
    typealias InboundIn = HTTPServerRequestPart
    typealias OutboundOut = HTTPServerResponsePart

    private let pages: MetricsPages
    private let rate: RateLimit
    private let patience: TimeAmount
    private var head: HTTPRequestHead?
    private var timer: Scheduled<Void>?
    private var isGone = false

    init(pages: MetricsPages, rate: RateLimit, patience: TimeAmount) {
        self.pages = pages
        self.rate = rate
        self.patience = patience
    }

    func channelActive(context: ChannelHandlerContext) {
        let bound = NIOLoopBound(context, eventLoop: context.eventLoop)
        timer = context.eventLoop.scheduleTask(in: patience) { bound.value.close(promise: nil) }
    }

    func channelInactive(context: ChannelHandlerContext) {
        isGone = true
        timer?.cancel()
    }

    func errorCaught(context: ChannelHandlerContext, error: any Error) {
        context.close(promise: nil)
    }

    func channelRead(context: ChannelHandlerContext, data: NIOAny) {
        switch unwrapInboundIn(data) {
        case .head(let new): head = new
        // What a request has to say beyond its head is of no interest.
        case .body: break
        case .end:
            guard let head else { return }
            self.head = nil
            let bound = NIOLoopBound((self, context), eventLoop: context.eventLoop)
            let loop = context.eventLoop
            let request = ControlPages.Request(
                method: head.method.rawValue, target: head.uri, host: Self.only("Host", head.headers),
                origin: Self.only("Origin", head.headers), authorization: Self.only("Authorization", head.headers))
            Task { [pages, rate] in
                await rate.admit()
                let page = await pages.page(request)
                loop.execute {
                    let (handler, context) = bound.value
                    handler.send(page, withBody: request.method != "HEAD", context)
                }
            }
        }
    }

    /// A header's value; one that is there twice is no value that can be relied on.
    private static func only(_ name: String, _ headers: HTTPHeaders) -> String? {
        let values = headers[name]
        return values.count > 1 ? "" : values.first
    }

    private func send(_ page: MetricsPages.Page, withBody: Bool, _ context: ChannelHandlerContext) {
        guard !isGone else { return }
        let body = context.channel.allocator.buffer(string: page.body)
        var headers = HTTPHeaders()
        headers.add(name: "Content-Type", value: page.contentType)
        headers.add(name: "Content-Length", value: "\(body.readableBytes)")
        headers.add(name: "Connection", value: "close")
        headers.add(name: "Cache-Control", value: "no-store")
        headers.add(name: "X-Content-Type-Options", value: "nosniff")
        headers.add(name: "X-Frame-Options", value: "DENY")
        headers.add(name: "Referrer-Policy", value: "no-referrer")
        if page.code == 401 { headers.add(name: "WWW-Authenticate", value: "Bearer") }
        headers.add(
            name: "Content-Security-Policy",
            value:
                "default-src 'none'; style-src 'unsafe-inline'; script-src 'unsafe-inline'; connect-src 'self'; frame-ancestors 'none'; form-action 'none'; base-uri 'none'"
        )
        let head = HTTPResponseHead(version: .http1_1, status: .init(statusCode: page.code), headers: headers)
        context.write(wrapOutboundOut(.head(head)), promise: nil)
        if withBody { context.write(wrapOutboundOut(.body(.byteBuffer(body))), promise: nil) }
        let bound = NIOLoopBound(context, eventLoop: context.eventLoop)
        context.writeAndFlush(wrapOutboundOut(.end(nil))).whenComplete { _ in bound.value.close(promise: nil) }
    }
}
