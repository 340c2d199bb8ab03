import ShadowAlter
import Testing
import ThrowawayServer

extension LiveMigrations {
    /// Who reads the log afterwards learns what happened, each thing once.
    @Suite(.serialized, .timeLimit(.minutes(5))) struct StoryTests {
        @Test(arguments: try await Servers.outermost())
        func theLogTellsOfEachPhaseAndOfTheExchangeOnce(_ binaries: ServerBinaries) async throws {
            let items = try await Items.create("story", on: binaries)
            let running = RunningMigration(Items.plain, items.database)
            let summary = try await running.summary()
            let lines = running.log.all
            let story = [
                "info: phase capturing", "info: phase copying", "info: copied \(Items.rows) rows",
                "info: phase indexing",
                "info: built index item_pkey", "info: phase catching-up", "notice: verified \(Items.rows) rows",
                "info: phase ready", "info: phase cutting-over",
                "notice: the tables are exchanged, at attempt \(summary.cutOver.attempts): lock held ",
            ]
            var last = -1
            for beginning in story {
                let places = lines.indices.filter { lines[$0].hasPrefix(beginning) }
                #expect(places.count == 1, "\(beginning): \(lines)")
                #expect(places.first ?? -1 > last, "\(beginning) is not where it belongs: \(lines)")
                last = places.first ?? last
            }
            try await items.expectExact()
            try await items.finish()
        }
    }
}
