import PgConnection
import ShadowAlter
import Testing
import ThrowawayServer

extension LiveMigrations {
    @Suite(.serialized, .timeLimit(.minutes(5))) enum SeveralTables {}
}

extension LiveMigrations.SeveralTables {
    /// The copy of several tables at once.
    @Suite(.serialized, .timeLimit(.minutes(5))) struct CopyTests {
        /// One lane stands at the barrier in the middle of one table; the other ones copy all the rest meanwhile.
        @Test(arguments: try await Servers.outermost(), ["account", "entry"])
        func lanesWorkOnDifferentTables(_ binaries: ServerBinaries, _ gated: String) async throws {
            let shop = try await Shop.create("several_lanes_\(gated)", on: binaries)
            let free = gated == "account" ? "entry" : "account"
            let running = RunningMigration(Shop.gated(gated), shop.database, .quick)
            try await shop.barrier.waitForCopy(running)
            try await running.until("the table that nothing holds up is copied") {
                let pages = try await shop.copiedPages(of: free)
                return pages.copied == pages.all
            }
            let held = try await shop.copiedPages(of: gated)
            #expect(held.copied < held.all)
            let status = try await StatusReader(connections: shop.database.options).status(of: "shop")
            #expect(status.tables.map(\.table) == Shop.tables.map { "public.\($0)" })
            let percent = Dictionary(uniqueKeysWithValues: status.tables.map { ($0.table, $0.percent) })
            #expect(percent["public.\(free)"] == 100 && percent["public.note"] == 100)
            #expect((percent["public.\(gated)"] ?? 100) < 100)
            try await shop.barrier.openCopy()
            let summary = try await running.summary()
            #expect(summary.rowsCopied == Shop.accounts + Shop.entries)
            #expect(summary.oldTables.map(\.description) == Shop.tables.map { "shop_blue.\($0)" })
            try await shop.expectExact()
            try await shop.finish()
        }

        /// Only the table that was rewritten is copied anew, also while a lane is busy with another one.
        @Test(arguments: try await Servers.outermost())
        func aRewriteStartsOneTableAnew(_ binaries: ServerBinaries) async throws {
            let shop = try await Shop.create("several_rewrite", on: binaries)
            // The second table's copy stands in its middle, so that the first one's is complete or nearly so.
            let running = RunningMigration(Shop.gated("entry"), shop.database, .pageByPage)
            try await shop.barrier.waitForCopy(running)
            try await shop.session.execute(
                """
                CREATE TABLE before AS SELECT c.table_id, c.first_page, c.xmin AS writer FROM shadow_alter.chunk c
                    JOIN shadow_alter.migrated_table t ON t.id = c.table_id WHERE t.source_oid = 'account'::regclass
                """)
            #expect(try await shop.session.value("SELECT count(*) FROM before", as: Int.self) > 10)
            let other = try await TestSession(shop.database, "somebody else")
            async let rewritten = other.execute("VACUUM FULL entry")
            try await eventually("VACUUM FULL waits for the chunk at the barrier") {
                try await shop.session.isTrue(
                    """
                    EXISTS (SELECT FROM pg_locks l JOIN pg_stat_activity a USING (pid) WHERE l.relation = 'entry'::regclass
                        AND l.mode = 'AccessExclusiveLock' AND NOT l.granted AND a.application_name = 'somebody else')
                    """)
            }
            try await shop.barrier.openCopy()
            _ = try await rewritten
            try await running.until("the copies are complete") {
                running.migration.status.snapshot.phase > .copying
            }
            try await running.summary()
            #expect(running.log.contains("public.entry was rewritten or truncated"))
            #expect(!running.log.contains("public.account was rewritten or truncated"))
            try await shop.expectExact()
            await other.close()
            try await shop.finish()
        }

        /// A row that cannot be had in its new form ends the run at once; the other lanes do not first copy all the rest.
        @Test(arguments: try await Servers.outermost())
        func badDataInOneTableEndsAll(_ binaries: ServerBinaries) async throws {
            let shop = try await Shop.create("several_bad", on: binaries)
            try await shop.session.execute("UPDATE account SET balance = 40000 WHERE id = 1")
            let request = Shop.request(Shop.script + "ALTER TABLE account ALTER balance TYPE smallint;")
            var options = MigrationOptions.pageByPage
            options.copyWorkers = 2
            options.niceRatio = 1
            let error = try #require(
                await RunningMigration(request, shop.database, options).failure() as? MigrationError)
            #expect(error.code == .badData && error.message.contains("public.account"), "\(error)")
            let entries = try await shop.copiedPages(of: "entry")
            #expect(entries.copied < entries.all)
            try await shop.session.execute("UPDATE account SET balance = 4 WHERE id = 1")
            try await RunningMigration(request, shop.database).summary()
            #expect(try await shop.session.isTrue("(SELECT balance FROM account WHERE id = 1) = 4"))
            try await shop.finish()
        }
    }
}
