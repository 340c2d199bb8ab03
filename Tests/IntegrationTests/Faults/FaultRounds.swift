import Foundation
import LedgerWorkload
import Testing
import ThrowawayServer

/// Several rounds on one server, each in a database of its own.
struct FaultRounds: Sendable {
    let rounds: [FaultRound]
    let server: ThrowawayServer

    /// More at once than there are processors: most of a round is waiting.
    private static let atOnce = 4

    init(_ rounds: [FaultRound], in server: ThrowawayServer) { (self.rounds, self.server) = (rounds, server) }

    /// The share of one of two versions: every other round, so that both together make all of them; on each of them all with `SHADOW_ALTER_FAULTS=all`.
    static func share(_ rounds: [FaultRound], _ number: Int) async throws -> [FaultRound] {
        guard ProcessInfo.processInfo.environment["SHADOW_ALTER_FAULTS"] != "all",
            try await Servers.outermost().count > 1
        else { return rounds }
        return rounds.enumerated().filter { $0.offset % 2 == number % 2 }.map(\.element)
    }

    /// What fails is recorded with the round's name and seed; the others go on.
    ///
    /// - Parameter atOnce: 1 where a fault concerns everybody on the server.
    func run(atOnce: Int = Self.atOnce) async throws {
        let seed = try WorkloadSeed.choose()
        print("\(server.version), \(rounds.count) rounds, seeds from \(seed)")
        await withTaskGroup(of: Void.self) { group in
            for (index, round) in rounds.enumerated() {
                if index >= atOnce { await group.next() }
                group.addTask {
                    do {
                        try await round.run(in: server, seed: seed &+ UInt64(index))
                    } catch {
                        let seed = seed &+ UInt64(index)
                        Issue.record("\(server.version), \(round.testDescription), seed \(seed): \(error)")
                    }
                }
            }
        }
    }
}
