/// Where the parts of one Insert, Update or Delete lie within the message's bytes.
///
/// Made by ``PgOutputDecoder/rowFrame(_:)``, which has checked the whole message. A frame is a few integers: it holds
/// no bytes and keeps none alive. Read on with the *same* bytes that it was made from; with others its methods throw
/// or give other bytes' values, but never reach outside of the span.
public enum RowFrame: Sendable, Hashable {
    case insert(Insert.Frame)
    case update(Update.Frame)
    case delete(Delete.Frame)
}

extension RowFrame {
    /// The table, by the identifier under which a Relation message introduced it (its OID on the publisher).
    @inlinable
    public var relationID: UInt32 {
        switch self {
        case .insert(let frame): frame.relationID
        case .update(let frame): frame.relationID
        case .delete(let frame): frame.relationID
        }
    }

    /// What the message says of the row before the change: always for a Delete; for an Update only if its key changed,
    /// or the replica identity is FULL; never for an Insert.
    @inlinable
    public var old: OldTupleFrame? {
        switch self {
        case .insert: nil
        case .update(let frame): frame.old
        case .delete(let frame): frame.old
        }
    }

    /// The row after the change; a Delete has none.
    @inlinable
    public var new: TupleFrame? {
        switch self {
        case .insert(let frame): frame.new
        case .update(let frame): frame.new
        case .delete: nil
        }
    }
}
