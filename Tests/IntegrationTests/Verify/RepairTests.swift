import PgConnection
import ShadowAlter
import Testing
import ThrowawayServer

extension LiveMigrations {
    /// What becomes of rows between the moment in which they are found to be wrong and the repair.
    @Suite(.serialized, .timeLimit(.minutes(5))) struct RepairTests {
        /// A row that was found to be wrong is written to, and refreshed, while the rest is still being compared: the repair must not take away what the
        /// refresh has put there, since nothing would bring it back.
        @Test(arguments: try await Servers.outermost())
        func aRowThatWasRefreshedMeanwhileStays(_ binaries: ServerBinaries) async throws {
            let items = try await Items.create("verify_repair", on: binaries)
            let request = MigrationRequest(
                "item", "ALTER id TYPE bigint, \(Barrier.verificationStops(at: Items.middle))")
            let running = RunningMigration(request, items.database, .pageByPage.manual())
            running.mayFindMismatches()
            try await running.untilReady(items.session)
            try await items.session.execute("UPDATE item_green.item SET value = 'damaged' WHERE id IN (8, 9, 10)")
            try await items.barrier.closeVerification()
            let asked: Double = try await items.session.value("SELECT extract(epoch FROM clock_timestamp())::float8")
            try await Steer(connections: items.database.options).run(.verify, "item")
            try await items.barrier.waitForVerification(running)
            try await running.until("all three are found") {
                (8...10).allSatisfy { running.log.contains("row id = '\($0)': value is 'damaged'") }
            }
            try await items.session.execute("UPDATE item SET value = 'written since' WHERE id = 8")
            try await items.session.execute("DELETE FROM item WHERE id = 9")
            try await running.until("both are refreshed") {
                try await items.session.isTrue(
                    """
                    (SELECT array_agg(value ORDER BY id) FROM item_green.item WHERE id IN (8, 9)) = ARRAY['written since']
                    """)
            }
            try await items.barrier.openVerification()
            try await running.until("it is verified") {
                try await items.session.isTrue(
                    """
                    EXISTS (SELECT FROM shadow_alter.migration WHERE verify_started_at > to_timestamp(\(asked))
                        AND verify_ended_at IS NOT NULL AND phase = 'ready')
                    """)
            }
            try await Steer(connections: items.database.options).run(.cutOver, "item")
            try await running.summary()
            try await items.expectExact()
            try await items.finish()
        }
    }
}
