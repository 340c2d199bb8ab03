/// One decoded message of the pgoutput stream, with storage of its own.
///
/// Not the last word on what a stream may hold: protocol versions 2 to 4 (streamed and prepared transactions) will add
/// cases. The compiler therefore asks a `switch` outside of this package for an `@unknown default`; a stream that was
/// started with `proto_version '1'` never reaches it.
@nonexhaustive
public enum PgOutputMessage: Sendable, Hashable {
    case begin(Begin)
    case commit(Commit)
    case origin(Origin)
    case relation(Relation)
    case type(TypeMessage)
    case insert(Insert)
    case update(Update)
    case delete(Delete)
    case truncate(Truncate)
    case message(LogicalMessage)
}

extension PgOutputMessage {
    /// The kind of this message.
    public var messageType: MessageType {
        switch self {
        case .begin: .begin
        case .commit: .commit
        case .origin: .origin
        case .relation: .relation
        case .type: .type
        case .insert: .insert
        case .update: .update
        case .delete: .delete
        case .truncate: .truncate
        case .message: .message
        }
    }
}
