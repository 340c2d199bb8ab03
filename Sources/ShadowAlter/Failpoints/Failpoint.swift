/// Where a test may end the program, stop it, or let it fail: at every transition, and between any two statements that change something.
///
/// All there are. The tests kill the program at each of them under live writes, and the same command has to go on.
package enum Failpoint: String, CaseIterable, Sendable {
    // MARK: The plan

    /// The clone stands, in a transaction that has recorded nothing yet.
    case cloned
    /// The migration is recorded, and nothing is captured.
    case recorded

    // MARK: Capture

    /// The publication is made, in a transaction that has not recorded it.
    case publishing
    case published
    /// The slot is there, and the phase is that of before.
    case slotCreated
    case captured
    /// The record of the way back is made.
    case wayBackPrepared

    // MARK: The stream

    /// Keys are in the spool, in a transaction that is open.
    case spooling
    /// They are committed, and the slot is not confirmed.
    case spooled
    /// A truncation is noted, in a transaction that is open.
    case truncationNoted
    /// The new table is emptied for it, in a transaction that is open.
    case truncationApplied

    // MARK: Copy

    /// The new table is emptied, in a transaction that has not recorded the file.
    case copyStarting
    case copyStarted
    /// A chunk's rows are inserted, in a transaction that has not recorded it.
    case chunkInserted
    case chunkCopied
    /// All chunks are there.
    case copied
    /// So are the keys of everything that has changed meanwhile.
    case copyDrained
    /// These are deleted from some pages of the new table, in a transaction that is open.
    case pagesPurging
    case pagesPurged
    /// They are deleted from all of it, in a transaction that has not recorded it.
    case purging
    case purged

    // MARK: Indexes

    case indexBuilt
    case indexesBuilt
    /// Constraints and the like are made, in a transaction that has not recorded it.
    case constraintsMade
    case indexed

    // MARK: Catching up

    /// A batch is refreshed, in a transaction that is open.
    case refreshing
    case refreshed
    /// The spool is truncated, in a transaction that is open.
    case spoolRenewing
    case spoolRenewed
    case analyzed
    /// A materialized view is built, in a transaction that is open.
    case preparing
    case prepared
    case verificationBegun
    /// Rows that differ are replaced, in a transaction that is open.
    case repairing
    case repaired
    case verified
    case becameReady

    // MARK: The exchange, and the one of a rollback

    case cuttingOver
    case rehearsed
    /// Nothing but the locks is left to be waited for.
    case refreshedBeforeLock
    case locked
    case drainedUnderLock
    case refreshedUnderLock
    /// The old tables have left, the new ones have not come.
    case halfExchanged
    case exchanged
    /// The last moment before COMMIT.
    case committing
    /// COMMIT is answered, and nobody knows of it.
    case committed
    case exchangeNoted

    // MARK: Afterwards

    case slotDropped
    case publicationDropped
    case wayBackRemoved
    /// What the way to the exchange has needed is dropped, in a transaction that is open.
    case spoolsRemoving
    case spoolsRemoved
    /// One of the things that the exchange has left to be done.
    case settling
    case settled

    // MARK: Bake

    case bakeOpened
    /// The old tables have every row of the new ones, and it is not recorded.
    case bakeCaughtUp
    case bakeReady
    /// A key is set aside, in a transaction that is open.
    case parking
    case parked
    case parkedRetried
    case catalogRecorded
    case bakeOver
    case bakeEnded
    /// The slot is lost; that the old tables follow no further is recorded.
    case wayBackLost

    // MARK: Rollback

    case rollbackPlanned
    case rollbackAnalyzed
    case rollbackTakenBack

    // MARK: Finalize, and the end of a rollback

    case removalRehearsed
    case compatViewsRemoved
    /// One of the pieces is dropped, in a transaction that is open.
    case pieceDropping
    case pieceDropped
    /// The last thing is dropped, and the record, in a transaction that is open.
    case finalizing
    case finalized

    // MARK: Abort

    /// The views of the new shape, which the exchange would have taken away.
    case leavingViewsRemoved
    /// Everything is dropped, in a transaction that is open.
    case aborting
    case aborted

    // MARK: The native way

    case nativeLocked
    case nativeCommitting
    case nativeCommitted

    /// As `SHADOW_ALTER_FAILPOINT` has it: `chunk-copied`.
    package var name: String { MigrationFailure.hyphenated(rawValue) }

    /// Does nothing, unless the environment says otherwise.
    @inline(__always)
    func pass() throws {
        guard let armed = ArmedFailpoint.ofThisProcess else { return }
        try armed.get().meet(self)
    }

    /// Whether this process is to do something here. For what is done in one step, and could not be interrupted otherwise.
    var isArmed: Bool {
        guard case .success(let armed)? = ArmedFailpoint.ofThisProcess else { return false }
        return armed.point == self
    }
}
