import LedgerWorkload
import Testing
import ThrowawayServer

@testable import ShadowAlter

extension LiveMigrations {
    /// The program is killed at every failpoint, under live writes, and the same command is given again.
    @Suite(.serialized, .timeLimit(.minutes(20))) struct KillTests {
        /// A story's rounds, a few at a time: most of a round is waiting.
        @Test(arguments: try await Servers.outermost().enumerated().map { ($0, $1) }, FaultStory.allCases)
        func theSameCommandGoesOn(_ server: (Int, ServerBinaries), _ story: FaultStory) async throws {
            // A story with one round is another version's than the next such story.
            let number = server.0 + (FaultStory.allCases.firstIndex(of: story) ?? 0)
            let share = try await FaultRounds.share(story.rounds, number)
            guard !share.isEmpty else { return }
            try await FaultRounds(share, in: SharedServers.server(server.1)).run()
        }

        /// A place that is named and killed nowhere is not tested; one that is not in the code cannot be reached.
        @Test func everyFailpointHasARound() {
            let missing = Set(Failpoint.allCases).subtracting(FaultRound.kills.map(\.point))
            #expect(missing.isEmpty, "\(missing)")
            #expect(Set(Failpoint.allCases.map(\.name)).count == Failpoint.allCases.count)
        }
    }
}
