import Foundation
import Testing
import ThrowawayServer

@testable import ShadowAlter

/// What happens to a run at a failpoint.
enum Fault: Sendable, Equatable, CustomStringConvertible {
    /// `kill -9`
    case kill
    /// The server stops as if its machine had lost power, and starts again.
    case crash
    /// The sessions of this role are ended by `pg_terminate_backend`.
    case terminate(SessionRole)
    case signal(Int32)
    /// The answer to COMMIT does not come.
    case lost

    var description: String {
        switch self {
        case .kill: "killed"
        case .crash: "server crash"
        case .terminate(let role): "\(role.rawValue) session ended"
        case .signal(let number): number == SIGINT ? "SIGINT" : "SIGTERM"
        case .lost: "COMMIT unanswered"
        }
    }

    /// As `SHADOW_ALTER_FAILPOINT` has it.
    var action: String {
        switch self {
        case .kill: "kill"
        case .lost: "lost"
        case .crash, .terminate, .signal: "pause"
        }
    }

    /// Makes it happen to a run that has come to its failpoint, and returns when the run has ended.
    func happen(to process: ToolProcess, on database: TestDatabase) async throws -> ToolProcess.Ended {
        guard action == "pause" else { return await process.ended() }
        let beginning = ContinuousClock.now
        try await process.untilPaused()
        switch self {
        case .crash: try await database.server.restart(mode: .immediate)
        case .terminate(let role): try await Self.terminate(role, database, stoppedSince: beginning)
        case .signal(let number): process.send(number)
        case .kill, .lost: break
        }
        process.send(SIGCONT)
        return await process.ended()
    }

    /// How long the server bears with a session that says nothing: `wal_sender_timeout`, and what ours have for `idle_in_transaction_session_timeout`.
    private static let serversPatience = Duration.seconds(60)

    private static func terminate(
        _ role: SessionRole, _ database: TestDatabase, stoppedSince beginning: ContinuousClock.Instant
    ) async throws {
        let session = try await TestSession(database)
        // One that the program had asked for when it was stopped may begin a moment later.
        var found: [String] = []
        try? await eventually("there is a session of the role \(role)", within: .seconds(role == .cutOver ? 0 : 20)) {
            found = try await session.column(
                """
                SELECT pg_terminate_backend(pid) FROM pg_stat_activity
                WHERE datname = current_database() AND application_name = 'shadow-alter \(role.rawValue)'
                """)
            return !found.isEmpty
        }
        // Under the lock the server itself ends a session that says nothing; on a machine that stood still for a while the others, too.
        let isEndedAlready = role == .cutOver || ContinuousClock.now - beginning > serversPatience
        let there = try await session.column(
            "SELECT application_name FROM pg_stat_activity WHERE datname = current_database()")
        #expect(!found.isEmpty || isEndedAlready, "there is no session of the role \(role), but \(there)")
        await session.close()
    }

    /// Whether the run has ended as it should after this, and the same command is to be given again.
    func isAsItShouldBe(_ ended: ToolProcess.Ended, at point: Failpoint) -> Bool {
        guard ended.error.contains("failpoint \(point.name): \(action)") else { return false }
        return switch self {
        case .kill: ended.signal == SIGKILL
        case .signal: ended.exit == 1 && ended.error.contains("Interrupted") && ended.saysHowToGoOn
        case .crash, .terminate, .lost: ended.exit == 1 && ended.saysHowToGoOn
        }
    }
}

extension ToolProcess.Ended {
    var saysHowToGoOn: Bool { error.contains("same command again") }
}
