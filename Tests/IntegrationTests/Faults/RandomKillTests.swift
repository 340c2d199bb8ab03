import Foundation
import LedgerWorkload
import Testing
import ThrowawayServer

@testable import ShadowAlter

extension LiveMigrations {
    /// `kill -9` at instants that nobody has chosen, one after the other, until the migration is through. `SHADOW_ALTER_ROUNDS` says how many rounds,
    /// `SHADOW_ALTER_SEED` chooses the same instants again; what the program is doing in them is another thing each time.
    @Suite(.serialized, .timeLimit(.minutes(60))) struct RandomKillTests {
        /// So often at most in a round.
        private static let kills = 8
        /// About as long as an undisturbed migration takes.
        private static let longest = 3000

        @Test(arguments: try await Servers.outermost())
        func nothingIsLost(_ binaries: ServerBinaries) async throws {
            let rounds = ProcessInfo.processInfo.environment["SHADOW_ALTER_ROUNDS"].flatMap { Int($0) } ?? 3
            let first = try WorkloadSeed.choose()
            print("\(binaries), \(rounds) rounds of random kills from seed \(first)")
            for round in 0..<rounds {
                let seed = first &+ UInt64(round)
                do {
                    try await play(seed, goesBack: round % 3 == 2, in: SharedServers.server(binaries))
                } catch {
                    Issue.record("\(binaries), seed \(seed): \(error)")
                }
            }
        }

        private struct Wrong: Error, CustomStringConvertible { let description: String }

        private func play(_ seed: UInt64, goesBack: Bool, in server: ThrowawayServer) async throws {
            var random = SplitMix64(seed: seed)
            let orders = try await FaultOrders.create("random_kill", in: server, seed: seed)
            do {
                let command = (goesBack ? FaultStory.rollback : .forward).commands[0]
                let somebody = Beside(orders.database, process: Mutable(nil))
                let beside = Task { try await command.beside?(somebody) }
                var killed = 0
                var ended: ToolProcess.Ended
                repeat {
                    let process = try ToolProcess(command.arguments, on: orders.database)
                    let killer = Task { [delay = Int.random(in: 50...Self.longest, using: &random), killed] in
                        guard killed < Self.kills else { return }
                        try await Task.sleep(for: .milliseconds(delay))
                        process.send(SIGKILL)
                    }
                    ended = await process.ended()
                    killer.cancel()
                    if ended.signal == SIGKILL { killed += 1 }
                } while ended.signal == SIGKILL
                let isComplete = killed > 0 && ended.error.contains("is complete already")
                guard isComplete || ended.exit.map(command.exits.contains) == true else {
                    beside.cancel()
                    throw Wrong(description: "after \(killed) kills: \(ended)")
                }
                try await beside.value
                await somebody.session.close()
                if !goesBack { try await Finalize(connections: orders.database.options).run("orders") }
                try await orders.finish(
                    goesBack ? .before : .after, goesBack ? nil : FaultOrders.clauses, "seed \(seed), \(killed) kills")
            } catch {
                await orders.close()
                throw error
            }
            await orders.close()
        }
    }
}
