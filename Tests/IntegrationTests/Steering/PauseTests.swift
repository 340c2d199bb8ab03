import LedgerWorkload
import PgConnection
import ShadowAlter
import Testing
import ThrowawayServer

extension LiveMigrations {
    /// What operators ask of a migration, whether a run is alive or not.
    @Suite(.serialized, .timeLimit(.minutes(5))) struct PauseTests {
        /// Copies so slowly that there is always something left to be stopped.
        private static var slow: MigrationOptions {
            var options = MigrationOptions.pageByPage
            options.niceRatio = 20
            return options
        }

        private func steer(_ items: Items, _ command: SteeringCommand) async throws {
            try await Steer(connections: items.database.options).run(command, "item")
        }

        private func status(_ items: Items) async throws -> MigrationStatus {
            try await StatusReader(connections: items.database.options).status(of: "item")
        }

        @Test(arguments: try await Servers.outermost())
        func aPauseStopsTheCopyAndNotTheStream(_ binaries: ServerBinaries) async throws {
            let items = try await Items.create("pause_copy", on: binaries)
            let running = RunningMigration(Items.plain, items.database, Self.slow)
            try await running.until("the copy has begun") { running.migration.status.snapshot.rowsCopied > 0 }
            try await steer(items, .pause)
            try await running.until("it is paused") { running.migration.status.snapshot.condition == .paused }
            try await running.until("everybody may read why") {
                let seen = try await status(items)
                return seen.condition == .paused && seen.reason?.contains("`pause`") == true
            }
            // The chunk in hand ends, and no other begins.
            try await Task.sleep(for: .milliseconds(300))
            let copied = try await items.copiedRows()
            #expect(copied < Items.rows, "the copy was over before it could be paused")
            try await items.session.execute("UPDATE item SET value = 'while it was paused' WHERE id % 3 = 0")
            let written: String = try await items.session.value("SELECT pg_current_wal_lsn()::text")
            try await running.until("what was written meanwhile is spooled, and its WAL is not held") {
                try await items.session.isTrue(
                    "(SELECT confirmed_flush_lsn >= '\(written)' FROM pg_replication_slots WHERE slot_name LIKE 'shadow_alter_%' AND database = current_database())"
                )
            }
            #expect(try await items.copiedRows() == copied)

            try await steer(items, .set(.niceRatio, "0"))
            try await steer(items, .resume)
            try await running.summary()
            #expect(running.log.contains("paused") && running.log.contains("resumed"))
            try await items.expectExact()
            try await items.finish()
        }

        /// Fifteen seconds of writing as fast as four clients can, while nothing is copied: the slot lets go of the WAL all the same.
        @Test(arguments: try await Servers.outermost())
        func aPauseUnderHeavyWritesRetainsNoWAL(_ binaries: ServerBinaries) async throws {
            let items = try await Items.create("pause_wal", on: binaries)
            let running = RunningMigration(Items.plain, items.database, Self.slow)
            try await running.until("the copy has begun") { running.migration.status.snapshot.rowsCopied > 0 }
            try await steer(items, .pause)
            try await running.until("it is paused") { running.migration.status.snapshot.condition == .paused }
            let start: String = try await items.session.value("SELECT pg_current_wal_lsn()::text")
            let end = ContinuousClock.now + .seconds(15)
            let (writes, retained) = try await withThrowingTaskGroup(of: (Int64, Int64).self) { group in
                for client in 0..<4 {
                    group.addTask {
                        let session = try await TestSession(items.database, "writer \(client)")
                        var writes: Int64 = 0
                        while ContinuousClock.now < end {
                            try await session.execute(
                                "UPDATE item SET value = md5(random()::text) WHERE id = 1 + floor(random() * \(Items.rows))"
                            )
                            writes += 1
                        }
                        await session.close()
                        return (writes, 0)
                    }
                }
                group.addTask {
                    var most: Int64 = 0
                    while ContinuousClock.now < end {
                        most = max(
                            most,
                            try await items.session.value(
                                """
                                SELECT pg_wal_lsn_diff(pg_current_wal_lsn(), restart_lsn)::bigint FROM pg_replication_slots
                                WHERE slot_name LIKE 'shadow_alter_%' AND database = current_database()
                                """))
                        try await Task.sleep(for: .milliseconds(100))
                    }
                    return (0, most)
                }
                return try await group.reduce((0, 0)) { ($0.0 + $1.0, max($0.1, $1.1)) }
            }
            let last: String = try await items.session.value("SELECT pg_current_wal_lsn()::text")
            let written: Int64 = try await items.session.value(
                "SELECT pg_wal_lsn_diff(pg_current_wal_lsn(), '\(start)')::bigint")
            print(
                "\(binaries): \(writes) writes and \(written >> 20) MB of WAL during the pause, at most \(retained >> 20) MB retained"
            )
            #expect(retained < 64 << 20, "of \(ByteCount(written))")
            // Where the server writes down which transactions run, the slot lets go of what is spooled.
            try await items.session.execute("CHECKPOINT")
            try await running.until("nothing from before is retained any more") {
                try await items.session.isTrue(
                    "(SELECT restart_lsn >= '\(last)' FROM pg_replication_slots WHERE slot_name LIKE 'shadow_alter_%' AND database = current_database())"
                )
            }
            try await steer(items, .set(.niceRatio, "0"))
            try await steer(items, .resume)
            try await running.summary()
            try await items.expectExact()
            try await items.finish()
        }

        @Test(arguments: try await Servers.outermost())
        func aThrottleStopsTheRefreshAndEndsByItself(_ binaries: ServerBinaries) async throws {
            let items = try await Items.create("pause_refresh", on: binaries)
            let running = RunningMigration(Items.plain, items.database, .quick.manual())
            try await running.untilReady(items.session)
            try await steer(items, .throttle(expiry: .seconds(3600)))
            try await running.until("it is throttled") { running.migration.status.snapshot.condition == .throttled }
            try await steer(items, .cutOver)
            try await items.session.execute("UPDATE item SET value = 'while it was throttled'")
            let written: String = try await items.session.value("SELECT pg_current_wal_lsn()::text")
            try await running.until("it is spooled") {
                try await items.session.isTrue(
                    "(SELECT confirmed_flush_lsn >= '\(written)' FROM pg_replication_slots WHERE slot_name LIKE 'shadow_alter_%' AND database = current_database())"
                )
            }
            let waiting = try await status(items)
            #expect(waiting.dirtyKeysSpooled > 0, "\(waiting)")
            #expect(waiting.cutOver.attempts == 0)
            try await steer(items, .throttle(expiry: .milliseconds(1)))
            try await running.summary()
            try await items.expectExact()
            try await items.finish()
        }

        @Test(arguments: try await Servers.outermost())
        func whatWasAskedOfNobodyIsObeyedByTheNextRun(_ binaries: ServerBinaries) async throws {
            let items = try await Items.create("pause_later", on: binaries)
            let first = RunningMigration(Items.gated, items.database, .pageByPage)
            try await items.barrier.waitForCopy(first)
            first.cancel()
            try await items.barrier.openCopy()
            _ = await first.failure()
            let copied = try await items.copiedRows()
            #expect(try await Steer(connections: items.database.options).run(.pause, "item") == nil)
            try await steer(items, .postpone)
            try await steer(items, .set(.chunkSize, "3"))

            let second = RunningMigration(Items.gated, items.database, .pageByPage)
            try await second.until("it is paused") { second.migration.status.snapshot.condition == .paused }
            #expect(second.migration.control.value(of: .chunkSize) == "3")
            #expect(try await items.copiedRows() == copied)
            // Its own socket would say it so.
            _ = try await second.migration.control.steer(.resume)
            try await second.untilReady(items.session)
            try await second.until("it waits for the cut-over") {
                second.migration.status.snapshot.condition == .waiting
            }
            #expect(try await status(items).cutOver.attempts == 0)
            #expect(try await Steer(connections: items.database.options).run(.cutOver, "item") != nil)
            try await second.summary()
            try await items.expectExact()
            try await items.finish()
        }

        @Test(arguments: try await Servers.outermost())
        func aPostponedCutOverWaitsAlsoWhenItHasBeenAskedFor(_ binaries: ServerBinaries) async throws {
            let items = try await Items.create("pause_postpone", on: binaries)
            let reader = try await TestSession(items.database, "reader")
            let running = RunningMigration(Items.plain, items.database, .quick.manual())
            try await running.untilReady(items.session)
            try await reader.execute("BEGIN; SELECT count(*) FROM item")
            try await steer(items, .cutOver)
            try await running.until("it waits for the reader") {
                running.migration.status.snapshot.reason?.contains("session \(reader.pid) ") ?? false
            }
            try await steer(items, .postpone)
            try await running.until("it is ready again") {
                try await items.session.isTrue("(SELECT phase FROM shadow_alter.migration) = 'ready'")
            }
            try await reader.execute("COMMIT")
            try await items.session.execute("UPDATE item SET value = 'postponed' WHERE id % 5 = 0")
            #expect(try await status(items).phase == .ready)
            try await steer(items, .cutOver)
            try await running.summary()
            try await items.expectExact()
            await reader.close()
            try await items.finish()
        }

        @Test(arguments: try await Servers.outermost())
        func settingsThatAreNotTakenAreRefusedAndNotRecorded(_ binaries: ServerBinaries) async throws {
            let items = try await Items.create("pause_set", on: binaries)
            let running = RunningMigration(Items.plain, items.database, .quick.manual())
            let idle = Migration(
                Items.plain, connections: items.database.options, options: .quick, log: running.log.logger())
            await #expect(throws: MigrationControlError.self) { _ = try await idle.control.steer(.pause) }
            try await running.untilReady(items.session)
            await #expect(throws: SettingError.self) {
                _ = try await running.migration.control.steer(.set(.chunkSize, "none"))
            }
            await #expect(throws: SettingError.self) { try await steer(items, .set(.chunkSize, "none")) }
            #expect(try await items.session.isTrue("(SELECT steering = '{}' FROM shadow_alter.migration)"))
            try await steer(items, .cutOver)
            try await running.summary()
            await #expect(throws: MigrationError.self) { try await steer(items, .pause) }
            try await items.finish()
        }
    }
}
