/// Why some bytes are not a message of the pgoutput protocol: what is wrong, in which field, at which byte.
public struct PgOutputError: Error, Sendable, Hashable {
    /// What is wrong.
    @nonexhaustive
    public enum Reason: Sendable, Hashable {
        /// The message ends before the field does. Both counts are bytes.
        case truncated(needed: Int, available: Int)
        /// Bytes follow after the end of the message.
        case trailingBytes(count: Int)
        /// A length or a number of elements below zero.
        case negativeCount(Int)
        /// More elements than the rest of the message could hold.
        case countExceedsMessage(count: Int, availableBytes: Int)
        /// A byte that chooses between alternatives is none of them. `expected` lists them.
        case unexpectedTag(UInt8, expected: String)
        /// Bits are set that protocol version 1 does not define. `known` has the bits that it does.
        case unknownFlags(UInt8, known: UInt8)
        /// No zero byte ends the string.
        case unterminatedString
        /// The string is not UTF-8.
        case invalidUTF8
        /// The first byte is no message type of any protocol version.
        case unknownMessageType(UInt8)
        /// The first byte is a message type that only later protocol versions have.
        case unsupportedMessageType(UInt8, name: String, protocolVersion: Int)
    }

    public var reason: Reason
    /// The message's kind; `nil` if even that is unknown.
    public var messageType: MessageType?
    /// The field that could not be read.
    public var field: PgOutputField
    /// Where the field, or for ``Reason/trailingBytes(count:)`` the surplus, begins: bytes from the message's first.
    public var offset: Int

    /// Never inlined, to keep the code of the error out of the readers that almost never need it.
    @usableFromInline
    @inline(never)
    init(_ reason: Reason, messageType: MessageType?, field: PgOutputField, offset: Int) {
        self.reason = reason
        self.messageType = messageType
        self.field = field
        self.offset = offset
    }
}

extension PgOutputError: CustomStringConvertible {
    public var description: String {
        let kind = messageType.map { "\($0) message" } ?? "message of unknown type"
        return "cannot decode a pgoutput \(kind): \(field.rawValue) at byte offset \(offset): \(reason). "
            + "The message was dropped whole and nothing was taken from it. \(advice)"
    }

    private var advice: String {
        switch reason {
        case .unsupportedMessageType:
            "Start replication with proto_version '1' and without the streaming and two_phase options."
        default:
            "Stream again from the last confirmed position; if the same error returns, "
                + "check that the slot's plugin is pgoutput and that the stream was started with proto_version '1'."
        }
    }
}

extension PgOutputError.Reason: CustomStringConvertible {
    public var description: String {
        switch self {
        case .truncated(let needed, let available):
            "the message ends too early: \(needed) bytes needed, \(available) left"
        case .trailingBytes(let count):
            "\(count) bytes follow the end of the message"
        case .negativeCount(let count):
            "the count is negative: \(count)"
        case .countExceedsMessage(let count, let availableBytes):
            "\(count) elements cannot be in the \(availableBytes) bytes that are left"
        case .unexpectedTag(let tag, let expected):
            "found \(Self.display(tag)), expected \(expected)"
        case .unknownFlags(let flags, let known):
            "flags 0x\(String(flags, radix: 16)) go beyond the known 0x\(String(known, radix: 16))"
        case .unterminatedString:
            "no zero byte ends the string"
        case .invalidUTF8:
            "the string is not valid UTF-8; the stream must be read with client_encoding UTF8"
        case .unknownMessageType(let tag):
            "no message type is \(Self.display(tag))"
        case .unsupportedMessageType(let tag, let name, let version):
            "\(Self.display(tag)) is a \(name) message of protocol version \(version), and only version 1 is supported"
        }
    }

    /// A byte as a person wants to see it: `'K' (0x4b)`, or only the number where it is not printable ASCII.
    private static func display(_ byte: UInt8) -> String {
        let hex = (byte < 0x10 ? "0x0" : "0x") + String(byte, radix: 16)
        return (0x21...0x7E).contains(byte) ? "'\(Character(UnicodeScalar(byte)))' (\(hex))" : hex
    }
}
