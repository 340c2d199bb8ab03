/// The reads that only the owning layer needs.
extension WireCursor {
    /// Reads a position in the log.
    mutating func readLSN(_ field: PgOutputField, in bytes: RawSpan) throws(PgOutputError) -> LSN {
        LSN(rawValue: try read(field, in: bytes))
    }

    /// Reads a byte of flags of which only the `known` ones may be set: what a bit means that protocol version 1 does
    /// not define nobody can say, and to ignore it could be to lose a change.
    mutating func readFlags(
        _ field: PgOutputField, known: UInt8, in bytes: RawSpan
    ) throws(PgOutputError) -> UInt8 {
        let start = offset
        let flags = try read(field, as: UInt8.self, in: bytes)
        guard flags & ~known == 0 else { throw error(.unknownFlags(flags, known: known), field, at: start) }
        return flags
    }

    /// Reads a string that a zero byte ends, as `pq_sendstring` writes it.
    mutating func readString(_ field: PgOutputField, in bytes: RawSpan) throws(PgOutputError) -> String {
        var end = offset
        while true {
            guard end < bytes.byteCount else { throw error(.unterminatedString, field) }
            if bytes.unsafeLoad(fromByteOffset: end, as: UInt8.self) == 0 { break }
            end += 1
        }
        guard let string = String(validating: bytes.copy(offset..<end), as: UTF8.self) else {
            throw error(.invalidUTF8, field)
        }
        offset = end + 1
        return string
    }
}

extension RawSpan {
    /// The bytes of a range that a cursor has checked against this span.
    func copy(_ range: Range<Int>) -> [UInt8] {
        extracting(range).withUnsafeBytes { [UInt8]($0) }
    }
}
