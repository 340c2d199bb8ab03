import Glibc
import NIOCore
import NIOPosix
import Synchronization
import SystemPackage

/// The pipe that a hook writes to, and what reads it: everything is read, so that the hook never waits for us, and most of a flood is thrown away.
final class HookPipe: Sendable {
    /// For the hook's standard output and error.
    let writeEnd: SystemPackage.FileDescriptor
    private let channel: any Channel
    private let output = Mutex(HookOutput())

    /// - Parameter onLine: called for each line, in order.
    static func open(onLine: @escaping @Sendable (String) -> Void) async throws -> HookPipe {
        let ends = try SystemPackage.FileDescriptor.pipe()
        for end in [ends.readEnd, ends.writeEnd] { _ = fcntl(end.rawValue, F_SETFD, FD_CLOEXEC) }
        let reader = Reader()
        let channel: any Channel
        do {
            channel = try await NIOPipeBootstrap(group: MultiThreadedEventLoopGroup.singleton)
                .channelInitializer { $0.pipeline.addHandler(reader) }
                .takingOwnershipOfDescriptor(input: ends.readEnd.rawValue)
                .get()
        } catch {
            try? ends.readEnd.close()
            try? ends.writeEnd.close()
            throw error
        }
        let pipe = HookPipe(writeEnd: ends.writeEnd, channel: channel)
        reader.receive { [pipe] bytes in
            for line in pipe.output.withLock({ $0.take(bytes) }) { onLine(line) }
        } end: { [pipe] in
            for line in pipe.output.withLock({ $0.finish() }) { onLine(line) }
        }
        return pipe
    }

    private init(writeEnd: SystemPackage.FileDescriptor, channel: any Channel) {
        self.writeEnd = writeEnd
        self.channel = channel
    }

    /// How long the pipe is read on when somebody still holds its other end after the hook has ended.
    private static let linger = TimeAmount.milliseconds(250)

    /// The hook has ended: returns its last line when everything that it has written is read. What it has left running in the background is not
    /// waited for.
    func finish() async -> String? {
        try? writeEnd.close()
        let closing = channel.eventLoop.scheduleTask(in: Self.linger) { [channel] in channel.close(promise: nil) }
        try? await channel.closeFuture.get()
        closing.cancel()
        return output.withLock { $0.lastLine }
    }
}

/// Collects what is read before anybody receives it.
private final class Reader: ChannelInboundHandler, Sendable {
    typealias InboundIn = ByteBuffer

    private struct State {
        var receive: (@Sendable ([UInt8]) -> Void)?
        var end: (@Sendable () -> Void)?
    }
    private let state = Mutex(State())

    /// Before the other end is given to anybody.
    func receive(_ body: @escaping @Sendable ([UInt8]) -> Void, end: @escaping @Sendable () -> Void) {
        state.withLock { $0 = State(receive: body, end: end) }
    }

    func channelRead(context: ChannelHandlerContext, data: NIOAny) {
        state.withLock { $0.receive }?(Array(unwrapInboundIn(data).readableBytesView))
    }

    func channelInactive(context: ChannelHandlerContext) {
        let end = state.withLock { state in
            defer { state = State() }
            return state.end
        }
        end?()
        context.fireChannelInactive()
    }
}
