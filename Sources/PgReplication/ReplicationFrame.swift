import PgOutput

/// A message from the walsender inside CopyData, without the payload of the first kind (documentation, "Streaming
/// Replication Protocol"). Numbers are big-endian.
enum ReplicationFrame: Hashable, Sendable {
    /// `w`, XLogData: the payload begins at `payloadOffset`.
    case data(walStart: LSN, walEnd: LSN, sendTime: Int64)
    /// `k`, primary keepalive.
    case keepalive(end: LSN, sendTime: Int64, wantsReply: Bool)

    /// Where XLogData's payload begins: after the kind and three 64-bit numbers.
    static let payloadOffset = 25
    private static let keepaliveLength = 18

    /// nil unless `bytes` begin with a whole header of a known kind.
    init?(_ bytes: RawSpan) {
        guard bytes.byteCount > 0 else { return nil }
        switch bytes.unsafeLoad(fromByteOffset: 0, as: UInt8.self) {
        case UInt8(ascii: "w"):
            guard let start = bytes.bigEndian(at: 1), let end = bytes.bigEndian(at: 9),
                let time = bytes.bigEndian(at: 17)
            else { return nil }
            self = .data(
                walStart: LSN(rawValue: start), walEnd: LSN(rawValue: end), sendTime: Int64(bitPattern: time))
        case UInt8(ascii: "k"):
            guard bytes.byteCount == Self.keepaliveLength, let end = bytes.bigEndian(at: 1),
                let time = bytes.bigEndian(at: 9)
            else { return nil }
            self = .keepalive(
                end: LSN(rawValue: end), sendTime: Int64(bitPattern: time),
                wantsReply: bytes.unsafeLoad(fromByteOffset: 17, as: UInt8.self) != 0)
        default:
            return nil
        }
    }
}

extension RawSpan {
    /// The 64-bit number at an offset of 0 or more; nil where the bytes end before it does.
    fileprivate func bigEndian(at offset: Int) -> UInt64? {
        guard byteCount - offset >= MemoryLayout<UInt64>.size else { return nil }
        return UInt64(bigEndian: unsafeLoadUnaligned(fromByteOffset: offset, as: UInt64.self))
    }
}
