import FoundationEssentials
import PgConnection
import ShadowAlter
import Synchronization
import Testing
import ThrowawayServer

extension LiveMigrations {
    /// What stops the work for the sake of others: each stops it, says why, and lets it go on.
    @Suite(.serialized, .timeLimit(.minutes(5))) struct ThrottleTests {
        /// A run that the source has stopped before the copy could end, until `release` ends the reason.
        private func expectStop(
            _ name: String, on binaries: ServerBinaries, because: String, _ options: MigrationOptions,
            setup: (Items) async throws -> Void = { _ in }, release: (Items, RunningMigration) async throws -> Void
        ) async throws {
            let items = try await Items.create(name, on: binaries)
            var slow = options
            slow.maximumChunkPages = 1
            slow.copyWorkers = 1
            slow.niceRatio = 20
            try await setup(items)
            let running = RunningMigration(Items.plain, items.database, slow)
            try await running.until("it is throttled because of \(because)") {
                let snapshot = running.migration.status.snapshot
                return snapshot.condition == .throttled && snapshot.currentReason?.contains(because) == true
            }
            #expect(running.log.contains("throttled: "))
            try await items.session.execute("UPDATE item SET value = 'while it was throttled' WHERE id % 3 = 0")
            let status = try await StatusReader(connections: items.database.options).status(of: "item")
            #expect(status.cutOver.attempts == 0)
            _ = try await running.migration.control.steer(.set(.niceRatio, "0"))
            try await release(items, running)
            try await running.summary()
            #expect(running.log.contains("no longer throttled"))
            try await items.expectExact()
            try await items.finish()
        }

        @Test(arguments: try await Servers.outermost())
        func aQueryOfTheUsers(_ binaries: ServerBinaries) async throws {
            var options = MigrationOptions()
            options.throttleQuery = "SELECT count(*) FROM stop"
            try await expectStop("throttle_query", on: binaries, because: "throttle query says so: 1.0", options) {
                try await $0.session.execute("CREATE TABLE stop AS SELECT 1")
            } release: { items, _ in
                try await items.session.execute("DELETE FROM stop")
            }
        }

        @Test(arguments: try await Servers.outermost())
        func aLoadThatAQueryMeasures(_ binaries: ServerBinaries) async throws {
            var options = MigrationOptions()
            options.maximumLoad = try [
                #require(LoadLimit("active-sessions<=1000")), #require(LoadLimit("SELECT n FROM load<=5")),
            ]
            try await expectStop(
                "throttle_load", on: binaries, because: "is 7.0, and the limit is SELECT n FROM load<=5", options
            ) {
                try await $0.session.execute("CREATE TABLE load AS SELECT 7 AS n")
            } release: { items, _ in
                try await items.session.execute("UPDATE load SET n = 5")
            }
        }

        /// Near the limit fewer lanes copy, and all of them when it is far again. More can be asked for at any time.
        @Test(arguments: try await Servers.outermost())
        func lanesFollowTheLoadAndTheSetting(_ binaries: ServerBinaries) async throws {
            let items = try await Items.create("throttle_lanes", on: binaries)
            try await items.session.execute("CREATE TABLE load AS SELECT 1 AS n")
            var options = MigrationOptions()
            options.maximumChunkPages = 1
            options.niceRatio = 50
            options.maximumLoad = try [#require(LoadLimit("SELECT n FROM load<=10"))]
            let running = RunningMigration(Items.plain, items.database, options)
            func lanes() async throws -> Int {
                try await items.session.value(
                    "SELECT count(*) FROM pg_stat_activity WHERE application_name = 'shadow-alter copy' AND datname = current_database()"
                )
            }
            try await running.until("two lanes copy") { try await lanes() == 2 }
            _ = try await running.migration.control.steer(.set(.copyWorkers, "4"))
            try await running.until("four lanes copy") { try await lanes() == 4 }
            try await items.session.execute("UPDATE load SET n = 9")
            try await running.until("it shrinks before it stops") {
                let snapshot = running.migration.status.snapshot
                return snapshot.slowdown == "a limit is near, at 90 %: 1 of 4 lanes" && snapshot.condition == .throttled
            }
            try await items.session.execute("UPDATE load SET n = 2")
            try await running.until("it grows back") { running.migration.status.snapshot.slowdown == nil }
            _ = try await running.migration.control.steer(.set(.niceRatio, "0"))
            try await running.summary()
            try await items.expectExact()
            try await items.finish()
        }

        /// What cannot be measured is not taken for quiet.
        @Test(arguments: try await Servers.outermost())
        func aLoadThatCannotBeMeasured(_ binaries: ServerBinaries) async throws {
            var options = MigrationOptions()
            options.maximumLoad = try [#require(LoadLimit("SELECT n FROM nowhere<=5"))]
            try await expectStop("throttle_broken", on: binaries, because: "\"nowhere\" does not exist", options) {
                _, running in
                _ = try await running.migration.control.steer(.set(.maximumLoad, ""))
            }
        }

        @Test(arguments: try await Servers.outermost())
        func sessionsThatWaitForALock(_ binaries: ServerBinaries) async throws {
            var options = MigrationOptions()
            options.maximumLoad = try [#require(LoadLimit("lock-waiters<=0"))]
            let holder = Mutex<TestSession?>(nil)
            try await expectStop("throttle_locks", on: binaries, because: "the limit is lock-waiters<=0", options) {
                items in
                let session = try await TestSession(items.database, "holder")
                try await session.execute("SELECT pg_advisory_lock(1)")
                holder.withLock { $0 = session }
                let waiter = try await TestSession(items.database, "waiter")
                Task {
                    _ = try? await waiter.execute("SELECT pg_advisory_lock(1)")
                    await waiter.close()
                }
            } release: { _, _ in
                let session = try #require(holder.withLock { $0 })
                await session.close()
            }
        }

        @Test(arguments: try await Servers.outermost())
        func aFile(_ binaries: ServerBinaries) async throws {
            let file = FileManager.default.temporaryDirectory.appending(
                path: "sa-stop-\(UInt64.random(in: 0 ... .max))"
            ).path
            try Data().write(to: URL(filePath: file))
            var options = MigrationOptions()
            options.throttleFlagFile = file
            try await expectStop("throttle_file", on: binaries, because: file, options) { _, _ in
                try FileManager.default.removeItem(atPath: file)
            }
        }

        private final class Outside: ThrottleSource {
            let answer = Mutex<String?>("the change calendar is closed")
            func reason(_ options: MigrationOptions) async throws -> String? { answer.withLock { $0 } }
        }

        @Test(arguments: try await Servers.outermost())
        func somebodyOutside(_ binaries: ServerBinaries) async throws {
            let outside = Outside()
            var options = MigrationOptions()
            options.throttleSources = [outside]
            try await expectStop("throttle_outside", on: binaries, because: "change calendar", options) { _, _ in
                outside.answer.withLock { $0 = nil }
            }
        }

        @Test(arguments: try await Servers.outermost())
        func aStandbyThatCannotBeAsked(_ binaries: ServerBinaries) async throws {
            var options = MigrationOptions()
            options.controlReplicas = ["host=/nonexistent password=secret"]
            try await expectStop(
                "throttle_replica", on: binaries, because: "the listed replica 1 cannot be asked", options
            ) {
                _, running in
                #expect(!running.log.contains("secret"))
                _ = try await running.migration.control.steer(.set(.controlReplicas, ""))
            }
        }

        @Test(arguments: try await Servers.outermost())
        func theCriticalLoadEndsTheMigrationOrLetsItSleep(_ binaries: ServerBinaries) async throws {
            let items = try await Items.create("throttle_critical", on: binaries)
            try await items.session.execute("CREATE TABLE load AS SELECT 7 AS n")
            var options = MigrationOptions.quick.manual()
            options.criticalLoad = [try #require(LoadLimit("SELECT n FROM load<=5"))]
            options.criticalLoadHibernation = .seconds(3600)
            let sleeping = RunningMigration(Items.plain, items.database, options)
            try await sleeping.until("it hibernates") {
                sleeping.migration.status.snapshot.currentReason?.contains("hibernating for 1h") == true
            }
            sleeping.cancel()
            _ = await sleeping.failure()
            options.criticalLoadHibernation = nil
            let ended = RunningMigration(Items.plain, items.database, options)
            let error = try #require(await ended.failure() as? MigrationError)
            #expect(error.code == .aborted && error.message.contains("critical load"), "\(error)")
            try await Remains(session: items.session).expectNothing()
            await items.close()
        }
    }
}
