import ShadowAlter
import Testing
import ThrowawayServer

extension LiveMigrations {
    /// The new table has the definition that the old one had when it was planned: somebody else's change in between is not lost silently.
    @Suite(.serialized, .timeLimit(.minutes(5))) struct CatalogGuardTests {
        @Test(
            arguments: try await Servers.outermost(),
            [
                "ALTER TABLE item ADD COLUMN late integer", "CREATE INDEX late ON item (value)",
                "ALTER TABLE item ALTER value SET DEFAULT 'late'", "ALTER TABLE item ADD CHECK (id > 0) NOT VALID",
                "CREATE TRIGGER late BEFORE UPDATE ON item FOR EACH ROW EXECUTE FUNCTION suppress_redundant_updates_trigger()",
                "GRANT SELECT ON item TO PUBLIC",
            ])
        func aChangeBySomebodyElseIsNotedUnderTheLock(_ binaries: ServerBinaries, _ ddl: String) async throws {
            let items = try await Items.create("guard_catalog", on: binaries)
            let running = RunningMigration(Items.plain, items.database, .quick.manual())
            try await running.untilReady(items.session)
            try await items.session.execute(ddl)
            try await Steer(connections: items.database.options).run(.cutOver, "item")
            let error = try #require(await running.failure() as? MigrationError)
            #expect(error.code == .sourceChanged, "\(error)")
            #expect(error.advice.contains("abort"))
            #expect(try await items.session.column("SELECT pg_typeof(id)::text FROM item LIMIT 1") == ["integer"])
            try await items.session.execute("UPDATE item SET value = 'still at work' WHERE id = 1")
            try await Abort(connections: items.database.options, log: running.log.logger()).run("item")
            try await Remains(session: items.session).expectNothing()
            await items.close()
        }

        /// A change that is committed while the cut-over waits for its lock, after everything was looked at without it.
        @Test(arguments: try await Servers.outermost())
        func aChangeAtTheLastMomentIsNoted(_ binaries: ServerBinaries) async throws {
            let items = try await Items.create("guard_catalog_late", on: binaries)
            var options = MigrationOptions.quick.manual()
            options.lockTimeout = .seconds(100)
            options.cutOverBudget = .seconds(100)
            let running = RunningMigration(Items.plain, items.database, options)
            try await running.untilReady(items.session)
            let other = try await TestSession(items.database, "somebody else")
            try await other.execute("BEGIN; LOCK TABLE item IN ROW EXCLUSIVE MODE")
            try await Steer(connections: items.database.options).run(.cutOver, "item")
            try await running.until("the cut-over waits for its lock") {
                try await items.waitsForAccessExclusive(items.barrier.session, applicationName: "shadow-alter cut-over")
            }
            // Whoever has a lock that others wait for gets a stronger one before them.
            try await other.execute(
                "ALTER TABLE item ADD COLUMN late integer DEFAULT 5; UPDATE item SET late = 6; COMMIT")
            let error = try #require(await running.failure() as? MigrationError)
            #expect(error.code == .sourceChanged, "\(error)")
            #expect(try await items.session.isTrue("(SELECT sum(late) FROM item) = 6 * \(Items.rows)"))
            try await Abort(connections: items.database.options, log: running.log.logger()).run("item")
            try await Remains(session: items.session).expectNothing()
            await other.close()
            await items.close()
        }
    }
}
