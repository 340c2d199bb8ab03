/// What a message says of a row before its change, and where.
public enum OldTupleFrame: Sendable, Hashable {
    /// The columns of the replica identity; the other columns are there, but null (`K`).
    case key(TupleFrame)
    /// All columns, because the replica identity is FULL (`O`).
    case full(TupleFrame)

    /// The values, of whichever kind.
    @inlinable
    public var tuple: TupleFrame {
        switch self {
        case .key(let tuple), .full(let tuple): tuple
        }
    }
}
