/// What a message says of a row before its change.
public enum OldTuple: Sendable, Hashable {
    /// The columns of the replica identity; the other columns are there, but null (`K`).
    case key(Tuple)
    /// All columns, because the replica identity is FULL (`O`).
    case full(Tuple)

    init(_ frame: OldTupleFrame, in bytes: RawSpan) throws(PgOutputError) {
        switch frame {
        case .key(let tuple): self = .key(try Tuple(tuple, in: bytes))
        case .full(let tuple): self = .full(try Tuple(tuple, in: bytes))
        }
    }

    /// The values, of whichever kind.
    public var tuple: Tuple {
        switch self {
        case .key(let tuple), .full(let tuple): tuple
        }
    }
}
