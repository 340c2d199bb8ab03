import PgOutput

/// What we tell the walsender: how far everything is safe (`r`, standby status update).
struct StandbyStatusUpdate: Hashable, Sendable {
    /// Written, flushed and applied up to here. `LSN.invalid` leaves the slot where it is (ProcessStandbyReplyMessage in
    /// src/backend/replication/walsender.c).
    var confirmed: LSN
    /// Microseconds since 2000-01-01 00:00 UTC.
    var sendTime: Int64
    /// Asks the server for a keepalive at once.
    var wantsReply = false

    static let length = 34

    var bytes: [UInt8] {
        var bytes: [UInt8] = [UInt8(ascii: "r")]
        bytes.reserveCapacity(Self.length)
        // Three positions: written, flushed, applied.
        for number in [confirmed.rawValue, confirmed.rawValue, confirmed.rawValue, UInt64(bitPattern: sendTime)] {
            withUnsafeBytes(of: number.bigEndian) { bytes.append(contentsOf: $0) }
        }
        bytes.append(wantsReply ? 1 : 0)
        return bytes
    }
}
