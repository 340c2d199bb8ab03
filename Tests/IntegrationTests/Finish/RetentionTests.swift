import PgConnection
import Testing
import ThrowawayServer

@testable import ShadowAlter

extension LiveMigrations {
    /// `--finalize-after`: the run lives on after the cut-over, and drops the old tables when the time has come.
    @Suite(.serialized, .timeLimit(.minutes(5))) struct RetentionTests {
        private static func options(_ duration: Duration) -> MigrationOptions {
            var options = MigrationOptions.quick
            options.finalizeAfter = duration
            return options
        }

        /// A run that keeps the old tables for a long time.
        private func keeping(
            _ items: Items, _ duration: Duration = .seconds(360_000)
        ) async throws -> RunningMigration {
            let running = RunningMigration(Items.plain, items.database, Self.options(duration))
            try await running.until("it keeps the old table") {
                running.migration.status.snapshot.reason?.contains("kept until") ?? false
            }
            return running
        }

        private func expectFinal(_ items: Items, sourceLocation: SourceLocation = #_sourceLocation) async throws {
            #expect(
                try await items.session.value("SELECT count(*) FROM item", as: Int.self) == Items.rows,
                sourceLocation: sourceLocation)
            try await Remains(session: items.session).expectNothing(sourceLocation: sourceLocation)
            await items.close()
        }

        @Test(arguments: try await Servers.outermost())
        func zeroDropsTheOldTableAtOnce(_ binaries: ServerBinaries) async throws {
            let items = try await Items.create("keep_zero", on: binaries)
            let summary = try await RunningMigration(Items.plain, items.database, Self.options(.zero)).summary()
            #expect(summary.finalized && summary.oldTables.isEmpty)
            #expect(try await items.session.column("SELECT pg_typeof(id)::text FROM item LIMIT 1") == ["bigint"])
            try await expectFinal(items)
        }

        @Test(arguments: try await Servers.outermost())
        func theRunAnswersMeanwhileAndObeysFinalizeOnly(_ binaries: ServerBinaries) async throws {
            let items = try await Items.create("keep_answers", on: binaries)
            let running = RunningMigration(Items.plain, items.database, Self.options(.seconds(360_000)).manual())
            try await running.untilReady(items.session)
            let control = running.migration.control
            // Not before the exchange.
            let early = await #expect(throws: MigrationError.self) { try await control.steer(.finalize) }
            #expect(early?.code == .conflict)
            _ = try await control.steer(.cutOver)
            try await running.until("it keeps the old table") {
                running.migration.status.snapshot.reason?.contains("kept until") ?? false
            }
            try await items.expectExact()
            let status = try await control.status()
            #expect(status.phase == .done && status.condition == .waiting, "\(status)")
            #expect(status.message.contains("kept until"), "\(status.message)")
            for command in [SteeringCommand.pause, .cutOver, .abort, .verify] {
                await #expect(throws: MigrationControlError.self) { try await control.steer(command) }
            }
            try await Remains(session: items.session).expectOnlyBlueAndARun("item")
            // Another run of the same command finds this one.
            let second = RunningMigration(Items.plain, items.database, Self.options(.zero))
            #expect((await second.failure() as? MigrationError)?.code == .alreadyRunning)
            _ = try await control.steer(.finalize)
            #expect(try await running.summary().finalized)
            try await expectFinal(items)
        }

        @Test(arguments: try await Servers.outermost())
        func finalizeFromElsewhereEndsTheRun(_ binaries: ServerBinaries) async throws {
            let items = try await Items.create("keep_elsewhere", on: binaries)
            let running = try await keeping(items)
            let dropped = try await Finalize(connections: items.database.options).run("item")
            #expect(dropped == [QualifiedName(schema: "item_blue", name: "item")])
            #expect(try await running.summary().finalized)
            try await expectFinal(items)
        }

        /// A wish that nobody fulfilled does not come true days later.
        @Test(arguments: try await Servers.outermost())
        func theNextRunGoesOnWithTheRestOfTheTime(_ binaries: ServerBinaries) async throws {
            let items = try await Items.create("keep_rest", on: binaries)
            let first = try await keeping(items)
            first.cancel()
            let error = try #require(await first.failure() as? MigrationError)
            #expect(error.code == .interrupted && error.state.contains("item_blue"), "\(error)")
            try await items.session.execute(
                #"UPDATE shadow_alter.migration SET ended_at = ended_at - interval '1 hour', steering = steering || '{"finalize": 1}'"#
            )
            let until = try await items.session.column(
                "SELECT date_trunc('second', ended_at + interval '100 hours')::text FROM shadow_alter.migration")
            let second = try await keeping(items)
            #expect(second.migration.status.snapshot.reason?.contains(until[0]) == true, "\(until)")
            // As if the tool had been killed.
            try await items.session.execute(
                "SELECT pg_terminate_backend(pid, 60000) FROM pg_stat_activity WHERE datname = current_database() AND application_name = 'shadow-alter control'"
            )
            #expect(await second.failure() != nil)
            // Without the option there is nothing to be done for it.
            let plain = RunningMigration(Items.plain, items.database)
            #expect((await plain.failure() as? MigrationError)?.code == .conflict)
            try await items.session.execute("SELECT count(*) FROM item_blue.item")
            let third = RunningMigration(Items.plain, items.database, Self.options(.seconds(3600)))
            #expect(try await third.summary().finalized)
            try await expectFinal(items)
        }

        @Test(arguments: try await Servers.outermost())
        func whatStandsInTheWayEndsTheRunAndTheNextOneFinishes(_ binaries: ServerBinaries) async throws {
            let items = try await Items.create("keep_stands", on: binaries)
            let running = try await keeping(items)
            try await items.session.execute(
                "CREATE VIEW report AS SELECT count(*) FROM item_blue.item; UPDATE shadow_alter.migration SET ended_at = '2001-01-01'"
            )
            let error = try #require(await running.failure() as? MigrationError)
            #expect(error.code == .conflict && error.message.contains("report"), "\(error)")
            #expect(try await items.session.value("SELECT count FROM report", as: Int.self) == Items.rows)
            try await items.session.execute("DROP VIEW report")
            let second = RunningMigration(Items.plain, items.database, Self.options(.seconds(3600)))
            #expect(try await second.summary().finalized)
            try await expectFinal(items)
        }

        @Test(arguments: try await Servers.outermost())
        func whoReadsTheOldTableWhenTheTimeHasComeIsWaitedFor(_ binaries: ServerBinaries) async throws {
            let items = try await Items.create("keep_reader", on: binaries)
            let running = try await keeping(items)
            let reader = try await TestSession(items.database, "monthly report")
            try await reader.execute("BEGIN; SELECT count(*) FROM item_blue.item")
            try await items.session.execute("UPDATE shadow_alter.migration SET ended_at = '2001-01-01'")
            try await running.until("it says for whom it waits") {
                running.migration.status.snapshot.reason?.contains("session \(reader.pid) ") ?? false
            }
            // Who calls `finalize` meanwhile is told, too.
            let finalize = Finalize(connections: items.database.options, patience: .zero)
            let refusal = await #expect(throws: MigrationError.self) { try await finalize.run("item") }
            #expect(refusal?.message.contains("session \(reader.pid) ") == true, "\(String(describing: refusal))")
            try await reader.execute("COMMIT")
            #expect(try await running.summary().finalized)
            await reader.close()
            try await expectFinal(items)
        }
    }
}

extension Remains {
    /// While a run keeps the old tables.
    fileprivate func expectOnlyBlueAndARun(_ name: String, sourceLocation: SourceLocation = #_sourceLocation)
        async throws
    {
        let left = try await session.column(
            """
            SELECT nspname::text FROM pg_namespace WHERE nspname !~ '^pg_' AND nspname <> 'information_schema'
            UNION ALL SELECT 'slot' FROM pg_replication_slots WHERE database = current_database()
            UNION ALL SELECT 'publication' FROM pg_publication
            UNION ALL SELECT relname FROM pg_class WHERE relnamespace = 'shadow_alter'::regnamespace AND relname ~ '^(spool|suspect)' ORDER BY 1
            """)
        #expect(left == ["\(name)_blue", "public", "shadow_alter"], sourceLocation: sourceLocation)
    }
}
