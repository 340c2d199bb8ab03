/// One value of a row, as it was sent.
public enum TupleValue: Sendable, Hashable {
    case null
    /// An out-of-line value that the change did not touch, and that is therefore not sent.
    case unchangedToast
    /// In the text format of the type, in the client's encoding.
    case text([UInt8])
    /// In the binary format of the type: only if replication was started with `binary 'true'` (PostgreSQL 14+).
    case binary([UInt8])

    /// Copies a value; the range has been checked against `bytes` by whoever made the frame.
    init(_ frame: ValueFrame, in bytes: RawSpan) {
        self =
            switch frame.kind {
            case .null: .null
            case .unchangedToast: .unchangedToast
            case .text: .text(bytes.copy(frame.byteRange))
            case .binary: .binary(bytes.copy(frame.byteRange))
            }
    }

    /// The text of a value sent in text format; `nil` for every other kind, and for text that is not UTF-8.
    public var string: String? {
        guard case .text(let bytes) = self else { return nil }
        return String(validating: bytes, as: UTF8.self)
    }
}
