import PgConnection
import ShadowAlter
import Testing
import ThrowawayServer

extension LiveMigrations {
    /// `abort` and `finalize`: what they refuse, and that they leave nothing.
    @Suite(.serialized, .timeLimit(.minutes(5))) struct EndTests {
        @Test(arguments: try await Servers.outermost())
        func abortOfALiveRun(_ binaries: ServerBinaries) async throws {
            let items = try await Items.create("end_live", on: binaries)
            let running = RunningMigration(Items.plain, items.database, .quick.manual())
            try await running.untilReady(items.session)
            try await items.session.execute("CREATE TABLE before AS SELECT * FROM item")
            try await Abort(connections: items.database.options, log: running.log.logger()).run("item")
            let error = try #require(await running.failure() as? MigrationError)
            #expect(error.code == .aborted)
            try await Remains(session: items.session).expectNothing()
            try await expectUntouched(items)
        }

        /// In the middle of the copy, by cancellation, so that nobody is there to obey.
        @Test(arguments: try await Servers.outermost())
        func abortOfADeadRun(_ binaries: ServerBinaries) async throws {
            let items = try await Items.create("end_dead", on: binaries)
            let running = RunningMigration(Items.gated, items.database, .pageByPage)
            try await items.barrier.waitForCopy(running)
            running.cancel()
            try await items.barrier.openCopy()
            _ = await running.failure()
            try await items.session.execute("CREATE TABLE before AS SELECT * FROM item")
            try await Abort(connections: items.database.options, log: running.log.logger()).run("item")
            try await Remains(session: items.session).expectNothing()
            try await expectUntouched(items)
        }

        private func expectUntouched(_ items: Items) async throws {
            #expect(
                try await items.session.isTrue(
                    "NOT EXISTS ((TABLE item EXCEPT ALL TABLE before) UNION ALL (TABLE before EXCEPT ALL TABLE item))"))
            #expect(try await items.session.column("SELECT pg_typeof(id)::text FROM item LIMIT 1") == ["integer"])
            await items.close()
        }

        @Test(arguments: try await Servers.outermost())
        func afterTheExchangeThereIsNoWayBack(_ binaries: ServerBinaries) async throws {
            let items = try await Items.create("end_swapped", on: binaries)
            let running = RunningMigration(Items.plain, items.database)
            let summary = try await running.summary()
            #expect(summary.oldTables == [QualifiedName(schema: "item_blue", name: "item")])
            #expect(summary.rowsCopied == Items.rows)
            let abort = Abort(connections: items.database.options, log: running.log.logger())
            let refusal = await #expect(throws: MigrationError.self) { try await abort.run("item") }
            #expect(refusal?.code == .conflict)
            let late = await #expect(throws: MigrationError.self) {
                try await Steer(connections: items.database.options).run(.cutOver, "item")
            }
            #expect(late?.code == .conflict)
            let again = try #require(await RunningMigration(Items.plain, items.database).failure() as? MigrationError)
            #expect(again.code == .conflict)
            #expect(again.advice.contains("finalize"))
            try await items.expectExact()
            try await items.finish()
        }

        @Test(arguments: try await Servers.outermost())
        func finalizeKeepsWhatOthersHaveBuiltOnTheOldTable(_ binaries: ServerBinaries) async throws {
            let items = try await Items.create("end_dependent", on: binaries)
            let running = RunningMigration(Items.plain, items.database, .quick.manual())
            try await running.untilReady(items.session)
            let finalize = Finalize(connections: items.database.options)
            let early = await #expect(throws: MigrationError.self) { try await finalize.run("item") }
            #expect(early?.code == .conflict)
            try await Steer(connections: items.database.options).run(.cutOver, "item")
            try await running.summary()
            try await items.session.execute("CREATE VIEW report AS SELECT count(*) FROM item_blue.item")
            let blocked = await #expect(throws: MigrationError.self) { try await finalize.run("item") }
            #expect(blocked?.code == .conflict)
            #expect(blocked?.message.contains("report") ?? false, "\(String(describing: blocked))")
            #expect(try await items.session.value("SELECT count FROM report", as: Int.self) == Items.rows)
            try await items.session.execute("DROP VIEW report")
            try await items.finish()
        }

        @Test(arguments: try await Servers.outermost())
        func thereIsNothingToEnd(_ binaries: ServerBinaries) async throws {
            let items = try await Items.create("end_nothing", on: binaries)
            let options = items.database.options
            let log = CapturedLog().logger()
            for command: @Sendable () async throws -> Void in [
                { try await Abort(connections: options, log: log).run("item") },
                { try await Finalize(connections: options).run("item") },
                { try await Steer(connections: options).run(.cutOver, "item") },
            ] {
                let error = await #expect(throws: MigrationError.self) { try await command() }
                #expect(error?.code == .notFound)
            }
            try await Remains(session: items.session).expectNothing()
            await items.close()
        }
    }
}
