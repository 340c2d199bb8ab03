import PgConnection

/// What the end of a stream means for the one who has to go on.
public enum StreamFailure: Hashable, Sendable {
    /// The server has removed log that the slot still needed, or invalidated the slot for another reason. It never comes
    /// back: a new slot, and a new copy.
    case slotInvalidated
    /// There is no such slot (any more).
    case slotMissing
    /// Another walsender uses the slot; its pid where the message has one. After a connection loss that may be our own
    /// old walsender, which notices after `wal_sender_timeout`.
    case slotActive(pid: Int32?)
    /// The connection ended, or none could be made: try again.
    case connectionLost
    /// Something that trying again does not change; also what the sink threw.
    case other

    /// Tells them apart by SQLSTATE. 55000 has several meanings, of which only PostgreSQL's English words say which;
    /// where `lc_messages` is another language, `.other` is returned and `ReplicationSlot.find` gives the certain answer.
    public init(_ error: any Error) {
        guard let error = error as? PgError else {
            self = .other
            return
        }
        switch error.sqlState {
        case .prerequisiteMissing? where Self.saysInvalidated(error): self = .slotInvalidated
        case .undefinedObject? where error.message.contains("slot"): self = .slotMissing
        case .objectInUse?: self = .slotActive(pid: Self.lastNumber(in: error.message))
        default: self = error.isConnectionLoss ? .connectionLost : .other
        }
    }

    /// PostgreSQL 14 and 15: StartLogicalReplication in walsender.c; 16 and 17: CreateDecodingContext in logical.c;
    /// 18: ReplicationSlotAcquire in slot.c.
    private static func saysInvalidated(_ error: PgError) -> Bool {
        ["can no longer get changes", "can no longer access", "cannot read from logical replication slot"].contains {
            error.message.contains($0)
        } || error.detail?.contains("invalidated") == true
    }

    /// `replication slot "x" is active for PID 123`: the number ends the sentence in every language that PostgreSQL knows.
    private static func lastNumber(in message: String) -> Int32? {
        let digits = message.unicodeScalars.reversed().drop { !("0"..."9").contains($0) }
            .prefix { ("0"..."9").contains($0) }
        return Int32(String(String.UnicodeScalarView(digits.reversed())))
    }
}

extension String.UnicodeScalarView {
    fileprivate init(_ scalars: some Sequence<Unicode.Scalar>) {
        self.init()
        append(contentsOf: scalars)
    }
}
