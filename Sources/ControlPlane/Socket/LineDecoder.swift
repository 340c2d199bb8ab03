import NIOCore

/// Cuts what a client sends into lines, without their ends.
struct LineDecoder: ByteToMessageDecoder {
    typealias InboundOut = String

    /// In bytes. A client that sends more without a line's end is told so and left.
    static let maximumLength = 4096

    mutating func decode(context: ChannelHandlerContext, buffer: inout ByteBuffer) throws -> DecodingState {
        guard let length = buffer.readableBytesView.firstIndex(of: UInt8(ascii: "\n")).map({ $0 - buffer.readerIndex })
        else {
            guard buffer.readableBytes <= Self.maximumLength else { throw LineTooLong() }
            return .needMoreData
        }
        guard length <= Self.maximumLength else { throw LineTooLong() }
        let line = buffer.readString(length: length) ?? ""
        buffer.moveReaderIndex(forwardBy: 1)
        context.fireChannelRead(wrapInboundOut(line))
        return .continue
    }

    /// The last line may lack its end: `printf status | nc -U PATH`.
    mutating func decodeLast(
        context: ChannelHandlerContext, buffer: inout ByteBuffer, seenEOF: Bool
    ) throws -> DecodingState {
        while try decode(context: context, buffer: &buffer) == .continue {}
        if seenEOF, let rest = buffer.readString(length: buffer.readableBytes), !rest.isEmpty {
            context.fireChannelRead(wrapInboundOut(rest))
        }
        return .needMoreData
    }
}

struct LineTooLong: Error {}
