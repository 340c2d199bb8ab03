import LedgerWorkload
import PgConnection
import Testing
import ThrowawayServer

@testable import ShadowAlter

/// The ways that a migration can take, each with commands that are given one after the other and what somebody does beside them.
enum FaultStory: String, Sendable, CaseIterable {
    /// Exchanged, and finalized.
    case forward
    /// The old tables come back.
    case rollback
    /// They follow for a while.
    case bakeEnds
    /// A rollback is asked for and taken back, and asked for again.
    case takenBack
    /// A row that the old definition does not take comes and goes.
    case parked
    /// The slot is dropped by somebody while the old tables follow.
    case slotLost
    /// Somebody writes to the new table, and the verification finds it.
    case repaired
    /// The new table is held ready while a lot is written.
    case held
    case compatView
    case truncated
    case severalTables
    case native
    case abort
    /// While the run is alive.
    case abortOfARun

    /// One command of the story.
    struct Command: Sendable {
        let arguments: [String]
        /// What it ends with when nobody kills it.
        var exits: Set<Int32> = [0]
        /// What is done while it is at work, once, however often the command is given.
        var beside: (@Sendable (Beside) async throws -> Void)?
    }

    private static let run = [
        "run", "--table", "orders", "--alter", FaultOrders.clauses, "--chunk-time", "50ms", "--progress", "off",
    ]
    private static let finalize = Command(arguments: ["finalize", "orders"])

    /// Of the stories about `orders`.
    var commands: [Command] {
        let run = Self.run
        switch self {
        case .forward: return [Command(arguments: run), Self.finalize]
        case .rollback:
            return [
                Command(arguments: run + ["--bake", "until-finalize"], exits: [4]) { try await $0.rollBack() }
            ]
        case .bakeEnds: return [Command(arguments: run + ["--bake", "2s"]), Self.finalize]
        case .takenBack:
            return [
                Command(arguments: run + ["--bake", "until-finalize"], exits: [4]) { beside in
                    try await beside.rollBackAndPostpone()
                    try await beside.rollBack()
                }
            ]
        case .parked:
            return [
                Command(arguments: run + ["--bake", "until-finalize"], exits: [4]) { beside in
                    try await beside.insertARowThatCannotGoBack()
                    try await beside.rollBack()
                }
            ]
        case .slotLost:
            return [
                Command(arguments: run + ["--bake", "until-finalize"], exits: [0, 1]) { try await $0.loseTheSlot() },
                Self.finalize,
            ]
        case .repaired:
            return [
                Command(arguments: run + ["--cut-over", "manual"]) { beside in
                    try await beside.damageTheNewTable()
                    try await beside.steer(["cut-over", "orders"])
                }, Self.finalize,
            ]
        case .held:
            return [
                Command(arguments: run + ["--cut-over", "manual"]) { beside in
                    try await beside.writeALot()
                    try await beside.steer(["cut-over", "orders"])
                }, Self.finalize,
            ]
        case .compatView: return [Command(arguments: run + ["--compat-view", "old"]), Self.finalize]
        case .native:
            return [
                Command(arguments: [
                    "run", "--table", "orders", "--alter", "ADD COLUMN extra text", "--strategy", "native",
                ])
            ]
        case .abort:
            return [
                Command(arguments: run + ["--cut-over", "manual", "--compat-view", "new"], exits: [1]) { beside in
                    try await beside.untilReady()
                    beside.interrupt()
                }, Command(arguments: ["abort", "orders"]),
            ]
        case .abortOfARun:
            return [
                Command(arguments: run + ["--cut-over", "manual", "--compat-view", "new"], exits: [4]) { beside in
                    try await beside.untilReady()
                    try await beside.steer(["abort", "orders"])
                }
            ]
        case .truncated:
            return [
                Command(arguments: [
                    "run", "--table", "item", "--alter", "ALTER COLUMN id TYPE bigint", "--cut-over", "manual",
                ]) { beside in
                    try await beside.truncate()
                    try await beside.steer(["cut-over", "item"])
                }
            ]
        case .severalTables:
            return [
                Command(arguments: ["run", "--script", FamilyScript.path, "--name", "family"]),
                Command(arguments: ["finalize", "family"]),
            ]
        }
    }

    /// Which definition the table has at the end, and which of the load's two forms.
    var end: (side: MigrationSide, alter: String?) {
        switch self {
        case .rollback, .takenBack, .parked, .abort, .abortOfARun: (.before, nil)
        case .native: (.before, "ADD COLUMN extra text")
        default: (.after, FaultOrders.clauses)
        }
    }
}
