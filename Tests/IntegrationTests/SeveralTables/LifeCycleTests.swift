import PgConnection
import ShadowAlter
import Testing
import ThrowawayServer

extension LiveMigrations.SeveralTables {
    /// Runs that end in each phase, and how they are continued or undone.
    @Suite(.serialized, .timeLimit(.minutes(5))) struct LifeCycleTests {
        /// The first table is copied, the second one half, when the run ends.
        @Test(arguments: try await Servers.outermost())
        func resumedInTheCopy(_ binaries: ServerBinaries) async throws {
            let shop = try await Shop.create("several_resume_copy", on: binaries)
            let first = RunningMigration(Shop.gated("entry"), shop.database, .pageByPage)
            try await shop.barrier.waitForCopy(first)
            first.cancel()
            try await shop.barrier.openCopy()
            #expect(await first.failure() is CancellationError)
            let account = try await shop.copiedPages(of: "account")
            let entry = try await shop.copiedPages(of: "entry")
            #expect(account.copied == account.all && entry.copied > 0 && entry.copied < entry.all)
            try await shop.session.execute(
                "CREATE TABLE first_run AS SELECT table_id, first_page, xmin AS writer FROM shadow_alter.chunk")
            try await writeBetweenRuns(shop)
            let second = RunningMigration(Shop.gated("entry"), shop.database, .quick.manual())
            try await second.untilReady(shop.session)
            #expect(
                try await shop.session.isTrue(
                    """
                    NOT EXISTS (SELECT FROM first_run f WHERE NOT EXISTS (SELECT FROM shadow_alter.chunk c
                        WHERE c.table_id = f.table_id AND c.first_page = f.first_page AND c.xmin = f.writer))
                    """), "a chunk was copied again")
            try await Steer(connections: shop.database.options).run(.cutOver, "shop")
            try await second.summary()
            try await shop.expectExact()
            try await shop.finish()
        }

        /// Indexes of one table are there, one of the other table is being built.
        @Test(arguments: try await Servers.outermost())
        func resumedWhileIndexesAreBuilt(_ binaries: ServerBinaries) async throws {
            let shop = try await Shop.create("several_resume_index", on: binaries)
            try await shop.session.execute("CREATE INDEX entry_barrier ON entry (index_barrier(id, 3000))")
            try await shop.barrier.closeIndex()
            let first = RunningMigration(Shop.plain, shop.database)
            try await shop.barrier.waitForIndex(first)
            try await first.until("the other table's index is there") {
                try await shop.session.isTrue("to_regclass('shop_green.account_pkey') IS NOT NULL")
            }
            first.cancel()
            #expect(await first.failure() is CancellationError)
            try await writeBetweenRuns(shop)
            try await shop.barrier.openIndex()
            let summary = try await RunningMigration(Shop.plain, shop.database).summary()
            #expect(!summary.timings.contains { $0.phase == Phase.copying.rawValue })
            try await shop.expectExact()
            try await shop.finish()
        }

        @Test(arguments: try await Servers.outermost())
        func resumedWhenReadyAndInTheCutOver(_ binaries: ServerBinaries) async throws {
            let shop = try await Shop.create("several_resume_ready", on: binaries)
            let first = RunningMigration(Shop.plain, shop.database, .quick.manual())
            try await first.untilReady(shop.session)
            first.cancel()
            #expect(await first.failure() is CancellationError)
            try await writeBetweenRuns(shop)
            // The next run comes as far as waiting for somebody who is in the way, with one table.
            let holder = try await TestSession(shop.database, "holder")
            try await holder.execute("BEGIN; SELECT count(*) FROM note")
            let second = RunningMigration(Shop.plain, shop.database)
            try await second.until("the cut-over waits") {
                second.migration.status.snapshot.reason?.contains("session \(holder.pid) ") ?? false
            }
            second.cancel()
            #expect(await second.failure() is CancellationError)
            #expect(try await shop.session.isTrue("(SELECT phase FROM shadow_alter.migration) = 'cutting-over'"))
            try await shop.expectUnchanged()
            try await holder.execute("COMMIT")
            try await writeBetweenRuns(shop)
            try await RunningMigration(Shop.plain, shop.database).summary()
            try await shop.expectExact()
            await holder.close()
            try await shop.finish()
        }

        /// Every session of the tool is ended by force, which is what a killed process and a restarted server have in common.
        @Test(arguments: try await Servers.outermost())
        func resumedAfterAllSessionsWereTerminated(_ binaries: ServerBinaries) async throws {
            let shop = try await Shop.create("several_terminated", on: binaries)
            let first = RunningMigration(Shop.gated("entry"), shop.database, .pageByPage)
            try await shop.barrier.waitForCopy(first)
            try await shop.session.execute(
                """
                SELECT pg_terminate_backend(pid) FROM pg_stat_activity
                WHERE datname = current_database() AND application_name LIKE 'shadow-alter%'
                """)
            try await shop.barrier.openCopy()
            #expect(await first.failure() != nil)
            try await writeBetweenRuns(shop)
            let second = RunningMigration(Shop.gated("entry"), shop.database)
            try await second.summary()
            #expect(second.log.contains("continuing migration shop"))
            try await shop.expectExact()
            try await shop.finish()
        }

        @Test(arguments: try await Servers.outermost(), [true, false])
        func aborted(_ binaries: ServerBinaries, _ alive: Bool) async throws {
            let shop = try await Shop.create("several_abort_\(alive)", on: binaries)
            let oracle = DefinitionOracle(database: shop.database)
            let before = try await oracle.read()
            let running = RunningMigration(Shop.plain, shop.database, .quick.manual())
            try await running.untilReady(shop.session)
            if !alive {
                running.cancel()
                _ = await running.failure()
            }
            try await Abort(connections: shop.database.options, log: running.log.logger()).run("shop")
            if alive {
                let error = try #require(await running.failure() as? MigrationError)
                #expect(error.code == .aborted)
            }
            try await Remains(session: shop.session).expectNothing()
            DefinitionOracle.expectSame(try await oracle.read(), before)
            await shop.close()
        }

        /// The name stands for all of the tables: another migration cannot have any one of them meanwhile.
        @Test(arguments: try await Servers.outermost())
        func eachTableIsTaken(_ binaries: ServerBinaries) async throws {
            let shop = try await Shop.create("several_taken", on: binaries)
            let running = RunningMigration(Shop.plain, shop.database, .quick.manual())
            try await running.untilReady(shop.session)
            for table in Shop.tables {
                let other = MigrationRequest(table, "ALTER id TYPE numeric")
                let refused = try #require(await RunningMigration(other, shop.database).failure() as? Refused)
                #expect(refused.refusals.contains { $0.object == "public.\(table)" && $0.code == "other-migration" })
            }
            let changed = Shop.request(Shop.script + "ALTER TABLE note ADD extra int;")
            let conflict = try #require(await RunningMigration(changed, shop.database).failure() as? MigrationError)
            #expect(conflict.code == .conflict)
            try await Steer(connections: shop.database.options).run(.cutOver, "shop")
            try await running.summary()
            try await shop.expectExact()
            try await shop.finish()
        }

        /// The definition of one of the tables has changed: none is exchanged.
        @Test(arguments: try await Servers.outermost(), Shop.tables)
        func aChangeOfOneTableStopsAll(_ binaries: ServerBinaries, _ table: String) async throws {
            let shop = try await Shop.create("several_ddl", on: binaries)
            let running = RunningMigration(Shop.plain, shop.database, .quick.manual())
            try await running.untilReady(shop.session)
            try await shop.session.execute("ALTER TABLE \(table) ADD COLUMN surprise int")
            try await Steer(connections: shop.database.options).run(.cutOver, "shop")
            let error = try #require(await running.failure() as? MigrationError)
            #expect(error.code == .sourceChanged && error.message.contains("public.\(table) "), "\(error)")
            try await shop.expectUnchanged()
            try await Abort(connections: shop.database.options, log: running.log.logger()).run("shop")
            try await Remains(session: shop.session).expectNothing()
            await shop.close()
        }

        private func writeBetweenRuns(_ shop: Shop) async throws {
            try await shop.session.execute(
                """
                SELECT book(n, n) FROM generate_series(1, 300, 7) n;
                UPDATE account SET filler = 'between the runs' WHERE id % 5 = 0;
                DELETE FROM entry WHERE id % 11 = 0 AND amount = 0;
                INSERT INTO note SELECT coalesce(max(id), 0) + 1, 1, 'between the runs' FROM note;
                """)
        }
    }
}
