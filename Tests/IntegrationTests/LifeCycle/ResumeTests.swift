import PgConnection
import ShadowAlter
import Testing
import ThrowawayServer

extension LiveMigrations {
    /// A run that was ended in any phase is continued by the same request, and never starts over.
    @Suite(.serialized, .timeLimit(.minutes(5))) struct ResumeTests {
        @Test(arguments: try await Servers.outermost())
        func afterACancellationDuringTheCopy(_ binaries: ServerBinaries) async throws {
            let items = try await Items.create("resume_copy", on: binaries)
            let first = RunningMigration(Items.gated, items.database, .pageByPage)
            try await items.barrier.waitForCopy(first)
            first.cancel()
            try await items.barrier.openCopy()
            #expect(await first.failure() is CancellationError)
            try await items.session.execute("UPDATE item SET value = 'between the runs' WHERE id % 7 = 0")
            let copied = try await items.copiedRows()
            #expect(copied > 0 && copied < Items.rows)
            // A second copy of the same page could not be recorded; whether the old ones are still there is seen by who wrote them.
            try await items.session.execute(
                "CREATE TABLE first_run AS SELECT first_page, xmin AS writer FROM shadow_alter.chunk")

            let second = RunningMigration(Items.gated, items.database, .pageByPage.manual())
            try await second.untilReady(items.session)
            #expect(second.log.contains("continuing migration item"))
            let kept: Int = try await items.session.value(
                "SELECT count(*) FROM shadow_alter.chunk c JOIN first_run f ON f.first_page = c.first_page AND f.writer = c.xmin"
            )
            #expect(kept == (try await items.session.value("SELECT count(*) FROM first_run", as: Int.self)))
            try await Steer(connections: items.database.options).run(.cutOver, "item")
            try await second.summary()
            try await items.expectExact()
            try await items.finish()
        }

        @Test(arguments: try await Servers.outermost())
        func afterACancellationWhileIndexesAreBuilt(_ binaries: ServerBinaries) async throws {
            let items = try await Items.create("resume_index", on: binaries)
            try await items.session.execute(
                "CREATE INDEX item_barrier ON item (index_barrier(id, 3000)); CREATE INDEX item_value ON item (value)")
            try await items.barrier.closeIndex()
            let first = RunningMigration(Items.plain, items.database)
            try await items.barrier.waitForIndex(first)
            first.cancel()
            #expect(await first.failure() is CancellationError)
            try await items.session.execute("DELETE FROM item WHERE id % 11 = 0")
            #expect(try await items.session.isTrue("(SELECT phase FROM shadow_alter.migration) = 'indexing'"))
            try await items.barrier.openIndex()
            let second = RunningMigration(Items.plain, items.database)
            let summary = try await second.summary()
            #expect(!summary.timings.contains { $0.phase == Phase.copying.rawValue })
            try await items.expectExact()
            try await items.finish()
        }

        @Test(arguments: try await Servers.outermost())
        func afterACancellationWhileTheShadowIsReady(_ binaries: ServerBinaries) async throws {
            let items = try await Items.create("resume_ready", on: binaries)
            let first = RunningMigration(Items.plain, items.database, .quick.manual())
            try await first.untilReady(items.session)
            first.cancel()
            #expect(await first.failure() is CancellationError)
            try await items.session.execute(
                "UPDATE item SET id = id + 100000, value = 'between the runs' WHERE id % 13 = 0")
            // One that nobody executes is asked to go on, too.
            try await Steer(connections: items.database.options).run(.cutOver, "item")
            let second = RunningMigration(Items.plain, items.database, .quick.manual())
            let summary = try await second.summary()
            #expect(!summary.timings.contains { $0.phase == Phase.indexing.rawValue })
            try await items.expectExact()
            try await items.finish()
        }

        @Test(arguments: try await Servers.outermost())
        func anotherChangeUnderTheSameNameIsRefused(_ binaries: ServerBinaries) async throws {
            let items = try await Items.create("resume_other", on: binaries)
            let first = RunningMigration(Items.plain, items.database, .quick.manual())
            try await first.untilReady(items.session)
            first.cancel()
            _ = await first.failure()
            let other = RunningMigration(MigrationRequest("item", "ALTER id TYPE numeric"), items.database)
            let error = try #require(await other.failure() as? MigrationError)
            #expect(error.code == .conflict)
            #expect(error.message.contains("item") && error.advice.contains("abort"))
            #expect(try await items.session.isTrue("(SELECT phase FROM shadow_alter.migration) = 'ready'"))
            try await Abort(connections: items.database.options, log: first.log.logger()).run("item")
            try await Remains(session: items.session).expectNothing()
            await items.close()
        }

        @Test(arguments: try await Servers.outermost())
        func aSecondRunOnTheSameTableIsRefused(_ binaries: ServerBinaries) async throws {
            let items = try await Items.create("resume_second", on: binaries)
            let first = RunningMigration(Items.plain, items.database, .quick.manual())
            try await first.untilReady(items.session)
            let slots = try await items.session.column("SELECT slot_name FROM pg_replication_slots")
            let second = RunningMigration(Items.plain, items.database)
            let error = try #require(await second.failure() as? MigrationError)
            #expect(error.code == .alreadyRunning, "\(error)")
            #expect(error.message.contains("item"))
            let renamed = MigrationRequest("item", "ALTER value TYPE varchar(90)", name: "by another name")
            let refused = try #require(await RunningMigration(renamed, items.database).failure() as? Refused)
            #expect(refused.refusals.contains { $0.object.contains("item") }, "\(refused)")
            #expect(try await items.session.column("SELECT slot_name FROM pg_replication_slots") == slots)
            #expect(try await items.session.value("SELECT count(*) FROM shadow_alter.migration", as: Int.self) == 1)
            try await Steer(connections: items.database.options).run(.cutOver, "item")
            try await first.summary()
            try await items.expectExact()
            try await items.finish()
        }
    }
}

extension Items {
    func copiedRows() async throws -> Int {
        try await session.value("SELECT coalesce(sum(rows), 0)::bigint FROM shadow_alter.chunk")
    }
}
