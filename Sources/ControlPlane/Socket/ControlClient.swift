import NIOCore
import NIOPosix

/// Sends one line to a run's control socket.
public struct ControlClient: Sendable {
    let path: String

    public init(path: String) {
        self.path = path
    }

    /// Why there is no answer.
    public enum Failure: Error, CustomStringConvertible {
        /// Nobody listens there, or not for us.
        case unreachable
        /// The run does not do it, and says why.
        case refused(String)

        public var description: String {
            switch self {
            case .unreachable: "nobody answers on the socket"
            case .refused(let why): why
            }
        }
    }

    /// The answer, without the last line's end.
    public func send(_ line: String) async throws -> String {
        let channel: NIOAsyncChannel<ByteBuffer, ByteBuffer>
        do {
            channel = try await ClientBootstrap(group: MultiThreadedEventLoopGroup.singleton)
                .connect(unixDomainSocketPath: path) { channel in
                    channel.eventLoop.makeCompletedFuture {
                        try NIOAsyncChannel(
                            wrappingChannelSynchronously: channel,
                            configuration: .init(isOutboundHalfClosureEnabled: true))
                    }
                }
        } catch {
            throw Failure.unreachable
        }
        let answer: String
        do {
            answer = try await channel.executeThenClose { inbound, outbound in
                try await outbound.write(ByteBuffer(string: line + "\n"))
                outbound.finish()
                var answer = ByteBuffer()
                for try await part in inbound { answer.writeImmutableBuffer(part) }
                return String(buffer: answer)
            }
        } catch let error as CancellationError {
            throw error
        } catch {
            // The run has died meanwhile, perhaps after it has obeyed.
            throw Failure.unreachable
        }
        guard !answer.isEmpty else { throw Failure.unreachable }
        let text = answer.hasSuffix("\n") ? String(answer.dropLast()) : answer
        guard !text.hasPrefix(CommandInterpreter.Reply.failure) else {
            throw Failure.refused(String(text.dropFirst(CommandInterpreter.Reply.failure.count)))
        }
        return text
    }
}
