import Glibc
import ShadowAlter
import Testing
import ThrowawayServer

extension LiveMigrations {
    /// What keeps the copy exact while rows move under it. Each of these fails when its guard is taken out of the engine.
    @Suite(.serialized, .timeLimit(.minutes(5))) struct CopyGuardTests {
        /// Rows that are copied and then move to a page that is still to be copied are copied twice. Without the purge the key's unique index cannot be built.
        @Test(arguments: try await Servers.outermost())
        func rowsCopiedTwiceArePurged(_ binaries: ServerBinaries) async throws {
            let items = try await Items.create("guard_purge", on: binaries)
            // Room for new row versions on pages behind the barrier; the last rows keep the file from being truncated.
            try await items.session.execute("DELETE FROM item WHERE id BETWEEN 3500 AND 4800")
            try await items.session.execute("VACUUM item")
            let running = RunningMigration(Items.gated, items.database, .pageByPage)
            try await items.barrier.waitForCopy(running)
            try await items.session.execute("UPDATE item SET value = 'moved' WHERE id BETWEEN 1 AND 300")
            try await items.session.execute("DELETE FROM item WHERE id BETWEEN 301 AND 400")
            let moved: Int = try await items.session.value(
                """
                SELECT count(*) FROM item WHERE value = 'moved' AND (ctid::text::point)[0] >
                    (SELECT (ctid::text::point)[0] FROM item WHERE id = \(Items.middle)) AND (ctid::text::point)[0] <
                    (SELECT source_pages FROM shadow_alter.migrated_table)
                """)
            #expect(moved > 0, "no row has moved to where it is copied again: the test tests nothing")
            try await items.barrier.openCopy()
            try await running.summary()
            try await items.expectExact()
            try await items.finish()
        }

        /// A run that goes on while somebody has the table for himself says so, and hears what it is told meanwhile.
        @Test(arguments: try await Servers.outermost())
        func aResumedCopyWaitsForALock(_ binaries: ServerBinaries) async throws {
            let items = try await Items.create("guard_resumed", on: binaries)
            let first = RunningMigration(Items.gated, items.database, .pageByPage)
            try await items.barrier.waitForCopy(first)
            first.cancel()
            try await items.barrier.openCopy()
            _ = await first.failure()
            let other = try await TestSession(items.database, "somebody else")
            try await other.execute("BEGIN; LOCK TABLE item IN ACCESS EXCLUSIVE MODE")
            let second = RunningMigration(Items.gated, items.database, .pageByPage)
            try await second.until("it says that it waits") {
                second.log.contains("public.item is locked by somebody else; the copy waits")
            }
            try await Steer(connections: items.database.options).run(.pause, "item")
            try await second.until("it is paused") {
                second.migration.status.snapshot.condition == .paused
            }
            try await other.execute("COMMIT")
            await other.close()
            try await Steer(connections: items.database.options).run(.resume, "item")
            try await second.summary()
            try await items.expectExact()
            try await items.finish()
        }

        /// So does one that has copied nothing yet.
        @Test(arguments: try await Servers.outermost())
        func aNewCopyWaitsForALock(_ binaries: ServerBinaries) async throws {
            let items = try await Items.create("guard_new", on: binaries)
            let tool = try ToolProcess(
                ["run", "--table", "item", "--alter", "ALTER COLUMN id TYPE bigint", "--progress", "off"],
                on: items.database, failpoint: "captured=pause")
            try await tool.untilPaused()
            let other = try await TestSession(items.database, "somebody else")
            try await other.execute("BEGIN; LOCK TABLE item IN ACCESS EXCLUSIVE MODE")
            tool.send(SIGCONT)
            try await eventually("it says that it waits") {
                tool.error.contains("public.item is locked by somebody else; the copy waits")
            }
            try await other.execute("COMMIT")
            await other.close()
            let ended = try await tool.ended(within: .seconds(60))
            #expect(ended.exit == 0, "\(ended)")
            try await items.expectExact()
            try await items.finish()
        }

        /// VACUUM FULL moves every row without an event in the stream: what is behind the barrier comes to lie before it.
        @Test(arguments: try await Servers.outermost())
        func aRewriteDuringTheCopyStartsItAnew(_ binaries: ServerBinaries) async throws {
            let items = try await Items.create("guard_filenode", on: binaries)
            try await items.session.execute("DELETE FROM item WHERE id < 2000")
            let running = RunningMigration(Items.gated, items.database, .pageByPage)
            try await items.barrier.waitForCopy(running)
            let copied = try await items.copiedChunks()
            #expect(copied > 10)
            let before = try await items.sourceFile()
            let other = try await TestSession(items.database, "somebody else")
            async let rewritten = other.execute("VACUUM FULL item")
            // Either it waits for the chunk that stands at the barrier, or the chunk has given way already.
            try await eventually("VACUUM FULL has its turn") {
                if try await items.waitsForAccessExclusive(items.barrier.session, applicationName: "somebody else") {
                    return true
                }
                return try await items.sourceFile() != before
            }
            try await items.barrier.openCopy()
            _ = try await rewritten
            let after = try await items.sourceFile()
            #expect(before != after)
            try await running.summary()
            #expect(running.log.contains("the copy starts anew"))
            try await items.expectExact()
            await other.close()
            try await items.finish()
        }

        /// Whoever locks the table is waited for without anything being held meanwhile.
        @Test(arguments: try await Servers.outermost())
        func aTableThatIsLockedIsWaitedFor(_ binaries: ServerBinaries) async throws {
            let items = try await Items.create("guard_locked", on: binaries)
            let running = RunningMigration(Items.gated, items.database, .pageByPage)
            try await items.barrier.waitForCopy(running)
            let other = try await TestSession(items.database, "somebody else")
            async let locked = other.execute("BEGIN; LOCK TABLE item IN ACCESS EXCLUSIVE MODE")
            try await running.until("it waits for the chunk") {
                try await items.waitsForAccessExclusive(items.barrier.session, applicationName: "somebody else")
            }
            try await items.barrier.openCopy()
            _ = try await locked
            try await running.until("the copy says that it waits") {
                running.log.contains("public.item is locked by somebody else; the copy waits")
            }
            try await other.execute("UPDATE item SET value = 'under the lock' WHERE id % 3 = 0; COMMIT")
            try await running.summary()
            try await items.expectExact()
            await other.close()
            try await items.finish()
        }

        /// The same for CLUSTER, which also puts the rows in another order, in a transaction with other changes.
        @Test(arguments: try await Servers.outermost())
        func clusterDuringTheCopyStartsItAnew(_ binaries: ServerBinaries) async throws {
            let items = try await Items.create("guard_cluster", on: binaries)
            try await items.session.execute("CREATE INDEX item_backwards ON item ((-id))")
            let running = RunningMigration(Items.gated, items.database, .pageByPage)
            try await items.barrier.waitForCopy(running)
            let other = try await TestSession(items.database, "somebody else")
            let before = try await items.sourceFile()
            async let clustered = other.execute(
                "SET lock_timeout = 0; CLUSTER item USING item_backwards; UPDATE item SET value = 'after' WHERE id % 100 = 0"
            )
            try await eventually("CLUSTER has its turn") {
                if try await items.waitsForAccessExclusive(items.barrier.session, applicationName: "somebody else") {
                    return true
                }
                // Not by reading the table: that would wait behind CLUSTER.
                return try await items.sourceFile() != before
            }
            try await items.barrier.openCopy()
            _ = try await clustered
            let failure = await running.failure()
            // CLUSTER marks the index, which is a change of the definition: either verdict is right, a lost row is not.
            if let error = failure as? MigrationError {
                #expect(error.code == .sourceChanged, "\(error)")
                try await Abort(connections: items.database.options, log: running.log.logger()).run("item")
                try await Remains(session: items.session).expectNothing()
                await items.close()
            } else {
                #expect(failure == nil, "\(String(describing: failure))")
                try await items.expectExact()
                try await items.finish()
            }
            await other.close()
        }
    }
}
