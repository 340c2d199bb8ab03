import Logging
import PgConnection
import PgReplication

/// Watches the slot: that it is there, that it is valid, and that it does not hold back more WAL than it may. A full disk on the primary is the
/// worst outcome of all: first the copy waits, while the stream goes on being spooled; then the slot goes.
struct WALGuard: Sendable {
    let record: MigrationRecord
    let settings: LiveSettings
    /// nil: there is no work to be stopped yet.
    let throttle: Throttle?
    let log: Logger

    /// To be called about once a second, in every phase in which there is a slot.
    ///
    /// - Throws: `slotLost`, whoever dropped or invalidated it; `walLimit` after having given the slot up.
    func check(_ slot: ReplicationSlot.Status?, on connection: PgConnection) async throws {
        guard let slot else {
            throw MigrationError.slotLost(
                record, "it is gone: somebody has dropped it, or this is another server than before (a failover)")
        }
        guard !slot.isInvalid else {
            throw MigrationError.slotLost(
                record, "the server has invalidated it (\(slot.invalidationReason ?? slot.walStatus ?? "lost"))")
        }
        if let retained = slot.retainedBytes { try await guardAgainst(retained, on: connection) }
    }

    /// While the slot is being created it holds WAL back already, and nobody can read from it. Throws `walLimit` when that is too much; whoever
    /// is creating it has to be cancelled then.
    func checkCreation(_ slot: ReplicationSlot.Status?) throws {
        let limit = settings.current.maximumRetainedWAL
        guard let retained = slot?.retainedBytes, retained > 2 * limit else { return }
        throw MigrationError(
            .walLimit,
            "the slot, which cannot be complete before older transactions have ended, retained \(ByteCount(retained)) of WAL meanwhile, more than twice the limit of \(ByteCount(limit)), and was given up",
            state: "no live table was touched, and nothing is copied yet",
            advice: "wait for the end of those transactions, or end them, and run the same command again")
    }

    private func guardAgainst(_ retained: Int64, on connection: PgConnection) async throws {
        let limit = settings.current.maximumRetainedWAL
        throttle?.set(.retainedWAL, pressure: Double(retained) / Double(max(1, limit)))
        guard retained > limit else {
            throttle?.set(.retainedWAL, nil)
            return
        }
        let reason = "the slot retains \(ByteCount(retained)) of WAL, the limit is \(ByteCount(limit))"
        throttle?.set(.retainedWAL, Throttle.Stop(.throttled, reason))
        guard retained > 2 * limit else { return }
        log.error("\(reason), and more than twice as much is too much: giving the slot up")
        do {
            try await Leftovers.removeSlot(record, on: connection)
        } catch let error as PgError where error.sqlState == .objectInUse {
            // Its walsender cannot even say goodbye to us, over a network that stands still. It goes with its connection.
            log.error("the slot cannot be dropped yet: \(error.message); trying again")
            return
        }
        throw MigrationError(
            .walLimit,
            "the slot retained \(ByteCount(retained)) of WAL, more than twice the limit of \(ByteCount(limit)), and was dropped",
            state: "no live table was touched; the shadow is useless without the slot",
            advice:
                "find what holds the WAL back (a long transaction?), then run the same command again: it starts over; or `shadow-alter abort \(record.name)`"
        )
    }
}

extension MigrationError {
    static func slotLost(_ record: MigrationRecord, _ why: String) -> Self {
        Self(
            .slotLost, "the replication slot \(record.streamName) can no longer be used: \(why)",
            state: "no live table was touched; changes since the slot was lost are unknown to the shadow",
            advice: "run the same command again: it starts over; or `shadow-alter abort \(record.name)`")
    }

    /// Whether the migration cannot be continued by anything, only begun anew.
    var isFinal: Bool { code == .slotLost || code == .walLimit }
}
