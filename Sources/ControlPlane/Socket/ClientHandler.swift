import NIOCore

/// One client of the control socket: answers its lines one after the other, and leaves it when it is done, slow or hostile.
///
/// Lives on its channel's event loop.
final class ClientHandler: ChannelInboundHandler {
    typealias InboundIn = String
    typealias OutboundOut = ByteBuffer

    struct Limits: Sendable {
        /// How long a client may take to send a whole line.
        var line: TimeAmount = .seconds(10)
        /// How long it is waited for a further line after an answer. `nc` does not say that it has nothing more to send.
        var linger: TimeAmount = .milliseconds(250)
        /// How long a client may stay at all.
        var connection: TimeAmount = .seconds(60)
        /// Whether a client may go on after a line that is no command.
        var forgivesNonsense = true
        /// Lines that may wait for their answers.
        var queue = 100
    }

    private let interpreter: CommandInterpreter
    private let rate: RateLimit
    private let limits: Limits
    private let onPanic: @Sendable () -> Void
    private var lines: [String] = []
    private var isBusy = false
    private var isGone = false
    private var hasEnded = false
    private var timers: (line: Scheduled<Void>?, connection: Scheduled<Void>?)

    init(
        interpreter: CommandInterpreter, rate: RateLimit, limits: Limits, onPanic: @escaping @Sendable () -> Void
    ) {
        self.interpreter = interpreter
        self.rate = rate
        self.limits = limits
        self.onPanic = onPanic
    }

    func channelActive(context: ChannelHandlerContext) {
        let bound = NIOLoopBound(context, eventLoop: context.eventLoop)
        timers.connection = context.eventLoop.scheduleTask(in: limits.connection) {
            bound.value.close(promise: nil)
        }
        waitForLine(limits.line, "no line came within \(limits.line.nanoseconds / 1_000_000_000) s", context)
    }

    func channelInactive(context: ChannelHandlerContext) {
        isGone = true
        timers.line?.cancel()
        timers.connection?.cancel()
    }

    func channelRead(context: ChannelHandlerContext, data: NIOAny) {
        guard !isGone else { return }
        timers.line?.cancel()
        lines.append(unwrapInboundIn(data))
        guard lines.count <= limits.queue else {
            refuse("more than \(limits.queue) lines wait for an answer", context)
            return
        }
        answerNext(context)
    }

    func userInboundEventTriggered(context: ChannelHandlerContext, event: Any) {
        guard let event = event as? ChannelEvent, event == .inputClosed else { return }
        hasEnded = true
        if !isBusy && lines.isEmpty { context.close(promise: nil) }
    }

    func errorCaught(context: ChannelHandlerContext, error: any Error) {
        guard error is LineTooLong else {
            context.close(promise: nil)
            return
        }
        refuse("a line has more than \(LineDecoder.maximumLength) bytes", context)
    }

    private func answerNext(_ context: ChannelHandlerContext) {
        guard !isBusy, !lines.isEmpty else { return }
        isBusy = true
        let line = lines.removeFirst()
        let bound = NIOLoopBound((self, context), eventLoop: context.eventLoop)
        let loop = context.eventLoop
        Task { [interpreter, rate] in
            await rate.admit()
            let reply = await interpreter.reply(to: line)
            loop.execute {
                let (handler, context) = bound.value
                handler.send(reply, context)
            }
        }
    }

    private func send(_ reply: CommandInterpreter.Reply, _ context: ChannelHandlerContext) {
        if reply.endsProcess {
            // Whether or not the client still listens.
            let bound = NIOLoopBound(context, eventLoop: context.eventLoop)
            write(reply.text, context).whenComplete { [onPanic] _ in
                onPanic()
                bound.value.close(promise: nil)
            }
            return
        }
        guard !isGone else { return }
        guard reply.isCommand || limits.forgivesNonsense else {
            // The lines behind it are not looked at.
            isGone = true
            let bound = NIOLoopBound(context, eventLoop: context.eventLoop)
            write(reply.text, context).whenComplete { _ in bound.value.close(promise: nil) }
            return
        }
        let bound = NIOLoopBound((self, context), eventLoop: context.eventLoop)
        write(reply.text, context).whenComplete { _ in
            let (handler, context) = bound.value
            handler.isBusy = false
            guard handler.lines.isEmpty else { return handler.answerNext(context) }
            guard !handler.hasEnded else { return context.close(promise: nil) }
            handler.waitForLine(handler.limits.linger, nil, context)
        }
    }

    private func waitForLine(_ time: TimeAmount, _ complaint: String?, _ context: ChannelHandlerContext) {
        let bound = NIOLoopBound((self, context), eventLoop: context.eventLoop)
        timers.line = context.eventLoop.scheduleTask(in: time) {
            let (handler, context) = bound.value
            if let complaint { handler.refuse(complaint, context) } else { context.close(promise: nil) }
        }
    }

    /// Says why, and leaves the client.
    private func refuse(_ why: String, _ context: ChannelHandlerContext) {
        guard !isGone else { return }
        isGone = true
        let bound = NIOLoopBound(context, eventLoop: context.eventLoop)
        write(CommandInterpreter.Reply.failure + why, context).whenComplete { _ in bound.value.close(promise: nil) }
    }

    private func write(_ text: String, _ context: ChannelHandlerContext) -> EventLoopFuture<Void> {
        context.writeAndFlush(wrapOutboundOut(context.channel.allocator.buffer(string: text + "\n")))
    }
}
