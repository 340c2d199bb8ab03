import FoundationEssentials
import LedgerWorkload
import Testing
import ThrowawayServer

extension LiveMigrations {
    /// Tables that nobody has thought of. `SHADOW_ALTER_ROUNDS=100` hunts for as many, other ones each time; a seed that has found something
    /// replays it: `SHADOW_ALTER_SEED`. Without either they are always the same few, two of which have found something once: what a hunt finds
    /// is nothing that somebody else's change has broken.
    @Suite(.serialized, .timeLimit(.minutes(60))) struct RandomTableTests {
        private static let usualSeed: UInt64 = 5_873_795_104_909_514_624

        @Test(arguments: try await Servers.outermost())
        func nothingDiffers(_ binaries: ServerBinaries) async throws {
            let environment = ProcessInfo.processInfo.environment
            let isReplay = environment[WorkloadSeed.variable].map { !$0.isEmpty } ?? false
            let hunted = environment["SHADOW_ALTER_ROUNDS"].flatMap { Int($0) }
            let rounds = hunted ?? (isReplay ? 1 : 4)
            let first = hunted == nil && !isReplay ? Self.usualSeed : try WorkloadSeed.choose()
            var outcomes: [String: Int] = [:]
            for round in 0..<rounds {
                let seed = first &+ UInt64(round)
                let table = RandomTable(seed: seed, version: binaries.majorVersion)
                let story = "\(binaries), seed \(seed)"
                print("\(story): \(table.sql) \(table.change)")
                let outcome: RandomRound.Outcome
                do {
                    outcome = try await RandomRound(table: table, binaries: binaries).run()
                } catch {
                    outcome = .different("\(error)")
                }
                switch outcome {
                case .same: outcomes["same", default: 0] += 1
                case .refused(let by): outcomes["refused \(by.prefix(60))", default: 0] += 1
                case .different(let what):
                    outcomes["different", default: 0] += 1
                    Issue.record("\(story)\n\(table.script)\n\(what)")
                }
            }
            print("\(binaries), \(rounds) rounds from seed \(first): \(outcomes)")
        }
    }
}

extension RandomTable {
    /// What was made, and changed, for the message of a failed round.
    var script: String {
        (setup + ["-- ALTER TABLE \(sql) \(change)"] + dependants).map { $0 + ";\n" }.joined()
    }
}
