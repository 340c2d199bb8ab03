import Testing

@testable import ShadowAlter

/// What happens to a run, where, and in which story.
struct FaultRound: Sendable, CustomTestStringConvertible {
    let point: Failpoint
    /// How often the place is passed before, and one more.
    let number: Int
    let story: FaultStory
    /// Which of the story's commands is killed.
    let command: Int
    /// Whether the same command is given again. Not where nothing is left that it could go on with.
    let goesOn: Bool
    let fault: Fault

    init(
        _ story: FaultStory, _ point: Failpoint, _ number: Int = 1, command: Int = 0, goesOn: Bool = true,
        fault: Fault = .kill
    ) {
        (self.point, self.number, self.story, self.command) = (point, number, story, command)
        (self.goesOn, self.fault) = (goesOn, fault)
    }

    var failpoint: String { "\(point.name):\(number)=\(fault.action)" }
    var testDescription: String {
        "\(story), \(fault) at \(point.name):\(number)" + (command == 0 ? "" : " of command \(command + 1)")
    }

    /// Every failpoint, and some in several stories.
    static let kills = FaultStory.allCases.flatMap(\.rounds)
}

extension FaultStory {
    /// Where the program is killed in it. All stories together have every failpoint.
    var rounds: [FaultRound] {
        func rounds(_ points: [Failpoint], _ number: Int = 1, command: Int = 0) -> [FaultRound] {
            points.map { FaultRound(self, $0, number, command: command) }
        }
        return switch self {
        case .forward:
            rounds([
                .cloned, .recorded, .publishing, .published, .slotCreated, .captured, .spooling, .spooled,
                .copyStarting,
                .copyStarted, .chunkInserted, .chunkCopied, .copied, .copyDrained, .pagesPurging, .pagesPurged,
                .purging, .purged, .indexBuilt,
                .indexesBuilt, .constraintsMade, .indexed, .refreshing, .refreshed, .analyzed, .preparing, .prepared,
                .verificationBegun, .verified, .becameReady, .cuttingOver, .rehearsed, .refreshedBeforeLock, .locked,
                .drainedUnderLock, .refreshedUnderLock, .halfExchanged, .exchanged, .committing, .committed,
                .exchangeNoted, .slotDropped, .publicationDropped, .wayBackRemoved, .spoolsRemoving, .spoolsRemoved,
                .settling, .settled,
            ]) + rounds([.chunkInserted, .chunkCopied, .indexBuilt, .spooling, .refreshing], 2)
                + rounds([.removalRehearsed, .pieceDropping, .pieceDropped, .finalizing], command: 1)
                + [FaultRound(self, .finalized, command: 1, goesOn: false)]
        case .rollback:
            rounds([
                .wayBackPrepared, .committing, .committed, .spoolsRemoving, .spoolsRemoved, .bakeOpened, .bakeCaughtUp,
                .bakeReady, .settling, .settled, .parkedRetried, .catalogRecorded, .rollbackPlanned, .rollbackAnalyzed,
                .slotDropped, .publicationDropped, .removalRehearsed, .pieceDropping, .pieceDropped, .finalizing,
            ])
                + rounds(
                    [
                        .preparing, .prepared, .cuttingOver, .rehearsed, .refreshedBeforeLock, .locked,
                        .drainedUnderLock, .refreshedUnderLock, .halfExchanged, .exchanged, .committing, .committed,
                        .exchangeNoted, .settling, .settled,
                    ], 2) + [FaultRound(self, .finalized, goesOn: false)]
        case .bakeEnds:
            rounds([.bakeOver, .bakeEnded, .slotDropped, .publicationDropped, .wayBackRemoved])
                + rounds([.slotDropped, .publicationDropped, .wayBackRemoved], command: 1)
        case .takenBack: rounds([.rollbackTakenBack])
        case .parked: rounds([.parking, .parked])
        case .slotLost: rounds([.wayBackLost])
        case .repaired: rounds([.repairing, .repaired])
        case .held: rounds([.spoolRenewing, .spoolRenewed])
        case .compatView: rounds([.halfExchanged, .exchanged]) + rounds([.compatViewsRemoved], command: 1)
        case .truncated: rounds([.truncationNoted, .truncationApplied])
        case .severalTables:
            rounds([.copyStarting, .copyStarted, .purging, .refreshedUnderLock, .halfExchanged, .settling])
                + rounds([.pieceDropping, .pieceDropped], 2, command: 1)
        case .native:
            rounds([.nativeLocked, .nativeCommitting]) + [FaultRound(self, .nativeCommitted, goesOn: false)]
        case .abort:
            rounds([.slotDropped, .publicationDropped, .leavingViewsRemoved, .aborting], command: 1)
                + [FaultRound(self, .aborted, command: 1, goesOn: false)]
        case .abortOfARun:
            // `abort` does the rest.
            [Failpoint.slotDropped, .leavingViewsRemoved, .aborting, .aborted].map {
                FaultRound(self, $0, goesOn: false)
            }
        }
    }
}
