/// The kind of a pgoutput message: its first byte.
///
/// Source: `LogicalRepMsgType` in src/include/replication/logicalproto.h. Protocol version 1, all that this decoder
/// reads today, has these ten; versions 2 to 4 will add cases here.
@nonexhaustive
public enum MessageType: UInt8, Sendable, Hashable, CaseIterable, CustomStringConvertible {
    case begin = 0x42  // B
    case commit = 0x43  // C
    case origin = 0x4F  // O
    case relation = 0x52  // R
    case type = 0x59  // Y
    case insert = 0x49  // I
    case update = 0x55  // U
    case delete = 0x44  // D
    case truncate = 0x54  // T
    case message = 0x4D  // M

    /// The name that PostgreSQL's documentation uses ("Logical Replication Message Formats").
    public var description: String {
        switch self {
        case .begin: "Begin"
        case .commit: "Commit"
        case .origin: "Origin"
        case .relation: "Relation"
        case .type: "Type"
        case .insert: "Insert"
        case .update: "Update"
        case .delete: "Delete"
        case .truncate: "Truncate"
        case .message: "Message"
        }
    }

    /// The name, and the first protocol version, of a message that only protocol versions above 1 have; else `nil`.
    static func later(_ tag: UInt8) -> (name: String, version: Int)? {
        switch tag {
        case UInt8(ascii: "S"): ("Stream Start", 2)
        case UInt8(ascii: "E"): ("Stream Stop", 2)
        case UInt8(ascii: "c"): ("Stream Commit", 2)
        case UInt8(ascii: "A"): ("Stream Abort", 2)
        case UInt8(ascii: "b"): ("Begin Prepare", 3)
        case UInt8(ascii: "P"): ("Prepare", 3)
        case UInt8(ascii: "K"): ("Commit Prepared", 3)
        case UInt8(ascii: "r"): ("Rollback Prepared", 3)
        case UInt8(ascii: "p"): ("Stream Prepare", 3)
        default: nil
        }
    }
}
