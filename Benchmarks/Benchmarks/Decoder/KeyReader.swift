import PgOutput

/// What shadow-alter's collector asks of the decoder: check the whole row message, and say where the key's value lies in the
/// new row and in the old one.
struct KeyReader {
    private var decoder = PgOutputDecoder()
    /// Bytes of the keys so far; for the optimiser, which would leave out what nobody looks at.
    private(set) var keyBytes = 0

    /// Leaves alone what is no row message.
    @inline(__always)
    mutating func read(_ bytes: RawSpan) throws(PgOutputError) {
        guard let frame = try decoder.rowFrame(bytes) else { return }
        if let new = frame.new { try find(in: new, bytes) }
        if let old = frame.old { try find(in: old.tuple, bytes) }
    }

    @inline(__always)
    private mutating func find(in row: TupleFrame, _ bytes: RawSpan) throws(PgOutputError) {
        guard let value = try row.value(at: 0, in: bytes) else { return }
        keyBytes &+= value.byteRange.count
    }
}
