import PgConnection
import ShadowAlter
import Testing
import ThrowawayServer

extension LiveMigrations {
    /// A rewrite by somebody else moves rows without any event, while the verification has them in its hands.
    @Suite(.serialized, .timeLimit(.minutes(5))) struct RewrittenTests {
        /// A row was found to be wrong, and is where it is not looked for any more when it is to be repaired.
        @Test(arguments: try await Servers.outermost())
        func theTableBeforeTheRepair(_ binaries: ServerBinaries) async throws {
            let items = try await Items.create("rewritten_table", on: binaries)
            let last = Items.rows
            let running = try await ready(items, stopsAt: last)
            // So that rows move.
            try await items.session.execute("DELETE FROM item WHERE id <= 100")
            try await items.session.execute("UPDATE item_green.item SET value = 'damaged' WHERE id = \(last - 10)")
            try await rewrite("item", whileVerifying: running, items)
        }

        /// A row that only the new table has comes to lie among those that were compared already.
        @Test(arguments: try await Servers.outermost())
        func theNewTableBeforeAllOfItIsCompared(_ binaries: ServerBinaries) async throws {
            let items = try await Items.create("rewritten_new", on: binaries)
            let running = try await ready(items, stopsAt: Items.middle)
            // The first half of the file is empty when all of this is done.
            try await items.session.execute("UPDATE item_green.item SET value = value")
            try await items.session.execute("INSERT INTO item_green.item VALUES (1000000, 'from nowhere', '')")
            try await rewrite("item_green.item", whileVerifying: running, items)
        }

        private func ready(_ items: Items, stopsAt id: Int) async throws -> RunningMigration {
            let request = MigrationRequest("item", "ALTER id TYPE bigint, \(Barrier.verificationStops(at: id))")
            var options = MigrationOptions.pageByPage.manual()
            options.verification = .off
            let running = RunningMigration(request, items.database, options)
            running.mayFindMismatches()
            try await running.untilReady(items.session)
            return running
        }

        /// Asked for while the verification has it locked, and so granted the moment that its transaction is over.
        private func rewrite(
            _ table: String, whileVerifying running: RunningMigration, _ items: Items
        ) async throws {
            try await items.barrier.closeVerification()
            let steer = Steer(connections: items.database.options)
            try await steer.run(.verify, "item")
            try await items.barrier.waitForVerification(running)
            let other = try await TestSession(items.database, "rewriter")
            let rewriting = Task { try await other.execute("VACUUM FULL \(table)") }
            try await running.until("the rewrite waits for the verification") {
                try await items.session.isTrue(
                    "EXISTS (SELECT FROM pg_locks WHERE pid = \(other.pid) AND NOT granted AND mode = 'AccessExclusiveLock')"
                )
            }
            try await items.barrier.openVerification()
            _ = try await rewriting.value
            await other.close()
            try await running.until("it is verified") {
                try await StatusReader(connections: items.database.options).status(of: "item").verify.outcome == .passed
            }
            try await steer.run(.cutOver, "item")
            let summary = try await running.summary()
            // Once more where it was judged before it moved.
            #expect((1...2).contains(summary.verify.mismatches))
            try await items.expectExact()
            try await items.finish()
        }
    }
}
