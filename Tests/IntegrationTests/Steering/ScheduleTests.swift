import FoundationEssentials
import PgConnection
import ShadowAlter
import Testing
import ThrowawayServer

extension LiveMigrations {
    /// When a run exchanges the tables by itself.
    @Suite(.serialized, .timeLimit(.minutes(5))) struct ScheduleTests {
        /// The whole day three days before or after now, by the server's clock in UTC.
        private func window(daysFromNow days: Int, _ session: TestSession) async throws -> CutOverWindow {
            let weekday: Int = try await session.value(
                "SELECT extract(isodow FROM clock_timestamp() AT TIME ZONE 'UTC' + interval '\(days) days')::int")
            let name = ["Mon", "Tue", "Wed", "Thu", "Fri", "Sat", "Sun"][weekday - 1]
            return try #require(CutOverWindow("\(name) 00:00-24:00 UTC"))
        }

        private func options(_ windows: [CutOverWindow]) -> MigrationOptions {
            var options = MigrationOptions.quick
            options.cutOver = .windows(windows)
            return options
        }

        @Test(arguments: try await Servers.outermost())
        func aClosedWindowIsWaitedForAndNamed(_ binaries: ServerBinaries) async throws {
            let items = try await Items.create("schedule_closed", on: binaries)
            let windows = [
                try await window(daysFromNow: 3, items.session), try await window(daysFromNow: -3, items.session),
            ]
            let running = RunningMigration(Items.plain, items.database, options(windows))
            try await running.untilReady(items.session)
            try await running.until("it says what it waits for") {
                let reason = running.migration.status.snapshot.reason ?? ""
                return windows.allSatisfy { reason.contains("'\($0)'") }
            }
            #expect(running.migration.status.snapshot.condition == .waiting)
            try await items.session.execute("UPDATE item SET value = 'while it waited' WHERE id % 4 = 0")
            // By hand it goes at any time.
            try await Steer(connections: items.database.options).run(.cutOver, "item")
            try await running.summary()
            try await items.expectExact()
            try await items.finish()
        }

        @Test(arguments: try await Servers.outermost())
        func anOpenWindowIsUsed(_ binaries: ServerBinaries) async throws {
            let items = try await Items.create("schedule_open", on: binaries)
            // Whatever day it is by the time that it is ready.
            let windows = [
                try await window(daysFromNow: 0, items.session), try await window(daysFromNow: 1, items.session),
            ]
            try await RunningMigration(Items.plain, items.database, options(windows)).summary()
            try await items.expectExact()
            try await items.finish()
        }

        @Test(arguments: try await Servers.outermost())
        func aFlagFilePostponesForAsLongAsItIsThere(_ binaries: ServerBinaries) async throws {
            let items = try await Items.create("schedule_flag", on: binaries)
            let file = FileManager.default.temporaryDirectory.appending(path: "shadow-alter-postpone-\(UUID())").path
            try Data().write(to: URL(filePath: file))
            var options = MigrationOptions.quick
            options.postponeFlagFile = file
            let running = RunningMigration(Items.plain, items.database, options)
            try await running.untilReady(items.session)
            try await running.until("it says what it waits for") {
                running.migration.status.snapshot.reason?.contains(file) ?? false
            }
            #expect(running.migration.status.snapshot.cutOver.attempts == 0)
            try FileManager.default.removeItem(atPath: file)
            try await running.summary()
            try await items.expectExact()
            try await items.finish()
        }

        @Test(arguments: try await Servers.outermost())
        func aMissedDeadlineEndsTheRunAndKeepsItsWork(_ binaries: ServerBinaries) async throws {
            let items = try await Items.create("schedule_deadline", on: binaries)
            let first = RunningMigration(Items.plain, items.database, .quick.manual())
            try await first.untilReady(items.session)
            first.cancel()
            _ = await first.failure()
            var options = MigrationOptions.quick.manual()
            options.cutOverDeadline = .at("2020-01-01 00:00 UTC")
            let error = try #require(
                await RunningMigration(Items.plain, items.database, options).failure() as? MigrationError)
            #expect(error.code == .deadlineMissed)
            #expect(try await items.session.isTrue("(SELECT phase FROM shadow_alter.migration) = 'ready'"))
            options.cutOver = .auto
            options.cutOverDeadline = .after(.seconds(36_000))
            let second = try await RunningMigration(Items.plain, items.database, options).summary()
            #expect(!second.timings.contains { $0.phase == Phase.copying.rawValue })
            try await items.expectExact()
            try await items.finish()
        }

        @Test(arguments: try await Servers.outermost())
        func aDeadlineThatPassesDuringTheCopyEndsIt(_ binaries: ServerBinaries) async throws {
            let items = try await Items.create("schedule_copy", on: binaries)
            var options = MigrationOptions.pageByPage
            options.cutOverDeadline = .after(.milliseconds(1))
            let running = RunningMigration(Items.gated, items.database, options)
            let error = try #require(await running.failure() as? MigrationError)
            #expect(error.code == .deadlineMissed, "\(error)")
            try await items.barrier.openCopy()
            try await Abort(connections: items.database.options, log: running.log.logger()).run("item")
            try await Remains(session: items.session).expectNothing()
            await items.close()
        }

        @Test(arguments: try await Servers.outermost())
        func whatTheServerCannotReadIsRefusedBeforeAnythingIsMade(_ binaries: ServerBinaries) async throws {
            let items = try await Items.create("schedule_refused", on: binaries)
            var zone = MigrationOptions.quick
            zone.cutOver = .windows([try #require(CutOverWindow("Sun 02:00-04:00 Mars/Olympus"))])
            var deadline = MigrationOptions.quick
            deadline.cutOverDeadline = .at("when pigs fly")
            for (options, word) in [(zone, "Mars/Olympus"), (deadline, "when pigs fly")] {
                let error = try #require(
                    await RunningMigration(Items.plain, items.database, options).failure() as? MigrationError)
                #expect(error.code == .refused && error.message.contains(word), "\(error)")
                try await Remains(session: items.session).expectNothing()
            }
            await items.close()
        }

        @Test(arguments: try await Servers.outermost())
        func aChangeOfTheCatalogAloneWaitsForItsWindowToo(_ binaries: ServerBinaries) async throws {
            let items = try await Items.create("schedule_native", on: binaries)
            let request = MigrationRequest("item", "ADD COLUMN note text", strategy: .auto)
            let held = RunningMigration(request, items.database, .quick.manual())
            #expect((await held.failure() as? MigrationError)?.code == .refused)
            let closed = options([try await window(daysFromNow: 3, items.session)])
            let waiting = RunningMigration(request, items.database, closed)
            try await waiting.until("it waits") { waiting.migration.status.snapshot.condition == .waiting }
            waiting.cancel()
            #expect(await waiting.failure() is CancellationError)
            #expect(try await items.session.isTrue("NOT EXISTS (SELECT FROM pg_attribute WHERE attname = 'note')"))
            var late = closed
            late.cutOverDeadline = .after(.milliseconds(1))
            #expect(
                (await RunningMigration(request, items.database, late).failure() as? MigrationError)?.code
                    == .deadlineMissed)
            let open = options([
                try await window(daysFromNow: 0, items.session), try await window(daysFromNow: 1, items.session),
            ])
            try await RunningMigration(request, items.database, open).summary()
            #expect(try await items.session.isTrue("EXISTS (SELECT FROM pg_attribute WHERE attname = 'note')"))
            await items.close()
        }
    }
}
