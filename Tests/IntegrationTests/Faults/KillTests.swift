import LedgerWorkload
import Testing
import ThrowawayServer

@testable import ShadowAlter

extension LiveMigrations {
    /// The program is killed at every failpoint, under live writes, and the same command is given again.
    @Suite(.serialized, .timeLimit(.minutes(20))) struct KillTests {
        /// A story's rounds, a few at a time: most of a round is waiting.
        @Test(arguments: try await Servers.outermost(), FaultStory.allCases)
        func theSameCommandGoesOn(_ binaries: ServerBinaries, _ story: FaultStory) async throws {
            try await FaultRounds(story.rounds, in: SharedServers.server(binaries)).run()
        }

        /// A place that is named and killed nowhere is not tested; one that is not in the code cannot be reached.
        @Test func everyFailpointHasARound() {
            let missing = Set(Failpoint.allCases).subtracting(FaultRound.kills.map(\.point))
            #expect(missing.isEmpty, "\(missing)")
            #expect(Set(Failpoint.allCases.map(\.name)).count == Failpoint.allCases.count)
        }
    }
}
