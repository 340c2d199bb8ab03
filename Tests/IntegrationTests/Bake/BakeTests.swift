import PgConnection
import ShadowAlter
import Synchronization
import Testing
import ThrowawayServer

extension LiveMigrations {
    /// The time after the exchange: what ends it, and what it survives.
    @Suite(.serialized, .timeLimit(.minutes(5))) struct BakeTests {
        @Test(arguments: try await Servers.outermost())
        func itEndsByItself(_ binaries: ServerBinaries) async throws {
            let items = try await Items.create("bake_time", on: binaries)
            let running = RunningMigration(Items.plain, items.database, .quick.baking(.duration(.seconds(3))))
            let summary = try await running.summary()
            #expect(summary.oldTables == [QualifiedName(schema: "item_blue", name: "item")])
            #expect(summary.timings.map(\.phase).contains("baking"), "\(summary.timings)")
            let status = try await StatusReader(connections: items.database.options).status(of: "item")
            #expect(status.phase == .done && !status.rollbackPossible)
            try await items.expectExact()
            try await items.finish()
        }

        @Test(arguments: try await Servers.outermost())
        func finalizeEndsIt(_ binaries: ServerBinaries) async throws {
            let items = try await Items.create("bake_finalize", on: binaries)
            let running = RunningMigration(Items.plain, items.database, .quick.baking())
            try await running.untilReversible(items.database, "item")
            try await Finalize(connections: items.database.options).run("item")
            try await running.summary()
            #expect(try await items.session.column("SELECT pg_typeof(id)::text FROM item LIMIT 1") == ["bigint"])
            try await Remains(session: items.session).expectNothing()
            await items.close()
        }

        /// Nobody is there who could be asked.
        @Test(arguments: try await Servers.outermost())
        func finalizeAfterTheRunHasDied(_ binaries: ServerBinaries) async throws {
            let items = try await Items.create("bake_dead", on: binaries)
            let running = RunningMigration(Items.plain, items.database, .quick.baking())
            try await running.untilReversible(items.database, "item")
            running.cancel()
            _ = await running.failure()
            try await Finalize(connections: items.database.options).run("item")
            #expect(try await items.session.column("SELECT pg_typeof(id)::text FROM item LIMIT 1") == ["bigint"])
            try await Remains(session: items.session).expectNothing()
            await items.close()
        }

        /// The second time: the first was before the exchange.
        private func untilVerifiedByItself(_ running: RunningMigration, _ reader: StatusReader) async throws {
            try await running.until("it is verified by itself") {
                try await reader.status(of: "item").verify.outcome == .passed
                    && running.log.all.filter { $0.contains("verified 5000 rows") }.count == 2
            }
        }

        /// What the application does not do: somebody writes to the old table. It is found when it is asked for, and mended.
        @Test(arguments: try await Servers.outermost())
        func aForeignWriteIsFound(_ binaries: ServerBinaries) async throws {
            let items = try await Items.create("bake_foreign", on: binaries)
            let observer = SeenEvents()
            var options = MigrationOptions.quick.baking()
            options.observer = observer
            let running = RunningMigration(Items.plain, items.database, options)
            running.mayFindMismatches()
            try await running.untilReversible(items.database, "item")
            let reader = StatusReader(connections: items.database.options)
            try await untilVerifiedByItself(running, reader)
            let before = try await reader.status(of: "item").verify.startedAt
            try await items.session.execute("UPDATE item_blue.item SET value = 'foreign' WHERE id = 77")
            try await Steer(connections: items.database.options).run(.verify, "item")
            try await running.until("the verification that was asked for has ended") {
                let verify = try await reader.status(of: "item").verify
                return verify.startedAt != before && verify.outcome == .passed
            }
            #expect(try await reader.status(of: "item").verify.mismatches == 1)
            #expect(running.log.contains("id = '77'"), "\(running.log.all)")
            try await Steer(connections: items.database.options).run(.rollback, "item")
            try await running.expectRolledBack()
            #expect(try await items.session.column("SELECT value FROM item WHERE id = 77") == ["value 77"])
            #expect(observer.kinds.contains(.cutOver) && observer.kinds.contains(.rollback), "\(observer.kinds)")
            await items.close()
        }

        /// The run dies while the old table follows; what is written meanwhile is in the stream, and the same command goes on.
        @Test(arguments: try await Servers.outermost())
        func anotherRunGoesOn(_ binaries: ServerBinaries) async throws {
            let items = try await Items.create("bake_resume", on: binaries)
            let first = RunningMigration(Items.plain, items.database, .quick.baking())
            try await first.untilReversible(items.database, "item")
            first.cancel()
            _ = await first.failure()
            try await items.session.execute(
                "UPDATE item SET value = 'while nobody looked' WHERE id = 7; DELETE FROM item WHERE id = 8; INSERT INTO item VALUES (9000, 'n')"
            )
            let reader = StatusReader(connections: items.database.options)
            #expect(try await reader.status(of: "item").condition == .paused)
            // Nothing is said of a bake: it is under way.
            let second = RunningMigration(Items.plain, items.database, .quick)
            try await second.untilReversible(items.database, "item")
            try await second.until("the old table has followed") {
                try await items.session.isTrue(
                    """
                    (SELECT value FROM item_blue.item WHERE id = 7) = 'while nobody looked'
                    AND NOT EXISTS (SELECT FROM item_blue.item WHERE id = 8) AND EXISTS (SELECT FROM item_blue.item WHERE id = 9000)
                    """)
            }
            try await Steer(connections: items.database.options).run(.rollback, "item")
            try await second.expectRolledBack()
            #expect(try await items.session.column("SELECT value FROM item WHERE id = 7") == ["while nobody looked"])
            try await Remains(session: items.session).expectNothing()
            await items.close()
        }

        /// A rollback that was asked for while no run was alive is made by the next one.
        @Test(arguments: try await Servers.outermost())
        func theNextRunRollsBack(_ binaries: ServerBinaries) async throws {
            let items = try await Items.create("bake_later", on: binaries)
            let first = RunningMigration(Items.plain, items.database, .quick.baking())
            try await first.untilReversible(items.database, "item")
            first.cancel()
            _ = await first.failure()
            try await Steer(connections: items.database.options).run(.rollback, "item")
            try await RunningMigration(Items.plain, items.database).expectRolledBack()
            #expect(try await items.session.column("SELECT pg_typeof(id)::text FROM item LIMIT 1") == ["integer"])
            try await Remains(session: items.session).expectNothing()
            await items.close()
        }

        /// Somebody who reads holds the rollback up, not the application; it can be taken back, too.
        @Test(arguments: try await Servers.outermost())
        func aRollbackCanBeTakenBack(_ binaries: ServerBinaries) async throws {
            let items = try await Items.create("bake_postpone", on: binaries)
            let running = RunningMigration(Items.plain, items.database, .quick.baking())
            try await running.untilReversible(items.database, "item")
            let reader = try await TestSession(items.database, "reader")
            try await reader.execute("BEGIN; SELECT FROM item LIMIT 1")
            let steer = Steer(connections: items.database.options)
            try await steer.run(.rollback, "item")
            try await running.until("the rollback waits for the reader") {
                running.migration.status.snapshot.reason?.contains("\(reader.pid)") == true
            }
            try await steer.run(.postpone, "item")
            try await running.until("the old table follows again") {
                running.migration.status.snapshot.reason?.contains("follows") == true
            }
            try await reader.execute("COMMIT")
            await reader.close()
            #expect(try await items.session.column("SELECT pg_typeof(id)::text FROM item LIMIT 1") == ["bigint"])
            try await steer.run(.rollback, "item")
            try await running.expectRolledBack()
            try await Remains(session: items.session).expectNothing()
            await items.close()
        }

        /// What somebody has changed on the new table could not be carried back: it is named.
        @Test(arguments: try await Servers.outermost())
        func changesOfTheNewTableCloseTheWayBack(_ binaries: ServerBinaries) async throws {
            let items = try await Items.create("bake_changed", on: binaries)
            let running = RunningMigration(Items.plain, items.database, .quick.baking())
            try await running.untilReversible(items.database, "item")
            try await items.session.execute("ALTER TABLE item ADD note text")
            let status = StatusReader(connections: items.database.options)
            try await running.until("the change is named") {
                let found = try await status.status(of: "item")
                return !found.rollbackPossible && found.message.contains("columns")
            }
            try await items.session.execute("ALTER TABLE item DROP note")
            // A dropped column leaves its trace in the catalogs: the table is not what it was.
            #expect(try await status.status(of: "item").rollbackPossible == false)
            try await Finalize(connections: items.database.options).run("item")
            try await running.summary()
            try await Remains(session: items.session).expectNothing()
            await items.close()
        }

        /// Another migration of the table that the old one follows would take it away from under it.
        /// Whether or not anything is written: what cannot come back is not promised, and holds no WAL.
        @Test(arguments: try await Servers.outermost(), [true, false])
        func anOldTableThatIsDroppedEndsIt(_ binaries: ServerBinaries, _ writes: Bool) async throws {
            let items = try await Items.create("bake_dropped", on: binaries)
            let running = RunningMigration(Items.plain, items.database, .quick.baking())
            try await running.untilReversible(items.database, "item")
            let reader = StatusReader(connections: items.database.options)
            try await untilVerifiedByItself(running, reader)
            try await items.session.execute("DROP TABLE item_blue.item")
            if writes { try await items.session.execute("UPDATE item SET value = 'later' WHERE id = 1") }
            let error = try #require(await running.failure() as? MigrationError)
            #expect(error.code == .wayBackLost && error.message.contains("item_blue.item was dropped"), "\(error)")
            #expect(error.advice.contains("finalize item"), "\(error)")
            let status = try await reader.status(of: "item")
            #expect(status.phase == .done && !status.rollbackPossible && status.message.contains("item_blue.item"))
            #expect(
                try await items.session.isTrue(
                    "NOT EXISTS (SELECT FROM pg_replication_slots WHERE database = current_database())"))
            try await Finalize(connections: items.database.options).run("item")
            try await Remains(session: items.session).expectNothing()
            await items.close()
        }

        @Test(arguments: try await Servers.outermost())
        func aNewNameOfTheLiveTableIsNoReasonToAbort(_ binaries: ServerBinaries) async throws {
            let items = try await Items.create("bake_renamed", on: binaries)
            let running = RunningMigration(Items.plain, items.database, .quick.baking())
            try await running.untilReversible(items.database, "item")
            try await items.session.execute("ALTER TABLE item RENAME TO renamed; UPDATE renamed SET value = 'later'")
            let error = try #require(await running.failure() as? MigrationError)
            #expect(error.code == .sourceChanged && error.message.contains("another name now, renamed"), "\(error)")
            #expect(error.advice.contains("finalize item") && !error.advice.contains("abort"), "\(error)")
            try await items.session.execute("ALTER TABLE renamed RENAME TO item")
            let again = RunningMigration(Items.plain, items.database, .quick.baking())
            try await again.untilReversible(items.database, "item")
            try await Steer(connections: items.database.options).run(.rollback, "item")
            try await again.expectRolledBack()
            #expect(try await items.session.isTrue("(SELECT count(*) FROM item WHERE value = 'later') = \(Items.rows)"))
            try await Remains(session: items.session).expectNothing()
            await items.close()
        }

        @Test(arguments: try await Servers.outermost())
        func nobodyElseMigratesTheNewTable(_ binaries: ServerBinaries) async throws {
            let items = try await Items.create("bake_other", on: binaries)
            let running = RunningMigration(Items.plain, items.database, .quick.baking())
            try await running.untilReversible(items.database, "item")
            let other = MigrationRequest("item", "ALTER value TYPE varchar(100)", name: "other")
            let refused = try #require(await RunningMigration(other, items.database).failure() as? Refused)
            #expect(refused.refusals.map(\.code) == ["other-migration"], "\(refused)")
            #expect(refused.description.contains("finalize item"), "\(refused)")
            try await Finalize(connections: items.database.options).run("item")
            try await running.summary()
            await items.close()
        }

        /// What has no way back is refused before anything is created.
        @Test(arguments: try await Servers.outermost())
        func noBakeWithoutAWayBack(_ binaries: ServerBinaries) async throws {
            let items = try await Items.create("bake_refused", on: binaries)
            let requests = [
                MigrationRequest("item", "ALTER value TYPE int USING length(value)"),
                MigrationRequest("item", "ADD note text", strategy: .auto),
            ]
            for request in requests {
                let refused = try #require(
                    await RunningMigration(request, items.database, .quick.baking()).failure() as? Refused)
                #expect(refused.refusals.map(\.code) == ["no-way-back"], "\(refused)")
            }
            try await Remains(session: items.session).expectNothing()
            await items.close()
        }

        /// Emptied is emptied on both sides.
        @Test(arguments: try await Servers.outermost())
        func truncation(_ binaries: ServerBinaries) async throws {
            let items = try await Items.create("bake_truncate", on: binaries)
            let running = RunningMigration(Items.plain, items.database, .quick.baking())
            try await running.untilReversible(items.database, "item")
            try await items.session.execute("TRUNCATE item; INSERT INTO item VALUES (1, 'one')")
            try await Steer(connections: items.database.options).run(.rollback, "item")
            try await running.expectRolledBack()
            #expect(try await items.session.column("SELECT id || value FROM item") == ["1one"])
            try await Remains(session: items.session).expectNothing()
            await items.close()
        }
    }
}

/// What a run has told.
private final class SeenEvents: MigrationObserver {
    private let seen = Mutex<[MigrationEvent.Kind]>([])
    var kinds: [MigrationEvent.Kind] { seen.withLock { $0 } }

    func observe(_ event: MigrationEvent, in scene: EventScene) async throws {
        seen.withLock { $0.append(event.kind) }
    }
}
