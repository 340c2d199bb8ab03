/// Transaction ids as the stream has them (32 bits) and as snapshots have them (64 bits, `xid8`).
enum TransactionID {
    /// The full id whose low half is `xid`, given a recent snapshot's `xmax`.
    ///
    /// PostgreSQL keeps live ids within 2^31 of each other (documentation, "Preventing Transaction ID Wraparound Failures"), so that
    /// exactly one candidate is near the reference. An id from after the snapshot is fine, too.
    static func widen(_ xid: UInt32, near reference: UInt64) -> UInt64 {
        let distance = Int64(Int32(bitPattern: xid &- UInt32(truncatingIfNeeded: reference)))
        let (wide, overflow) = reference.addingReportingOverflow(UInt64(bitPattern: distance))
        // Below zero there is nothing: in the first epoch an id "before" zero can only be one after the reference.
        guard distance < 0 ? overflow : !overflow else { return UInt64(xid) }
        return wide
    }
}
