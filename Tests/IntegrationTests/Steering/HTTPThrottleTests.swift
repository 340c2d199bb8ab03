import ControlPlane
import PgConnection
import ShadowAlter
import TestSupport
import Testing
import ThrowawayServer

extension LiveMigrations {
    /// A web service stops a run and lets it go on.
    @Suite(.serialized, .timeLimit(.minutes(5))) struct HTTPThrottleTests {
        private func waitForStop(_ running: RunningMigration, because: String) async throws {
            try await running.until("it is throttled because of \(because)") {
                let snapshot = running.migration.status.snapshot
                return snapshot.condition == .throttled && snapshot.currentReason?.contains(because) == true
            }
        }

        @Test(arguments: try await Servers.outermost())
        func theChecksAnswerStopsTheWorkAndLetsItGoOn(_ binaries: ServerBinaries) async throws {
            let items = try await Items.create("throttle_http", on: binaries)
            let check = try await CheckServer.open(.status(503))
            var options = MigrationOptions.pageByPage
            options.niceRatio = 20
            options.throttleSources = [HTTPThrottle()]
            options.throttleHTTP = try HTTPAddress("http://127.0.0.1:\(check.port)/may?token=secret")
            let running = RunningMigration(Items.plain, items.database, options)
            try await waitForStop(running, because: "answered 503")
            try await items.session.execute("UPDATE item SET value = 'while it was throttled' WHERE id % 3 = 0")
            let copied = running.migration.status.snapshot.rowsCopied

            check.answer(.status(200))
            try await running.until("it goes on") { running.migration.status.snapshot.rowsCopied > copied }
            check.answer(.silence)
            try await waitForStop(running, because: "no answer within 2s")
            check.answer(.status(200))
            try await running.until("it goes on again") {
                running.migration.status.snapshot.condition == .running
            }
            await check.close()
            try await waitForStop(running, because: "cannot be asked")

            // The address that is in force counts, and not the command line's.
            let other = try await CheckServer.open(.status(429))
            _ = try await running.migration.control.steer(
                .set(.throttleHTTP, "http://127.0.0.1:\(other.port)/other?token=secret"))
            try await waitForStop(running, because: "/other?… answered 429")
            await #expect(throws: SettingError.self) {
                _ = try await running.migration.control.steer(.set(.throttleHTTP, "https://secret@127.0.0.1/"))
            }
            _ = try await running.migration.control.steer(.set(.throttleHTTP, ""))
            _ = try await running.migration.control.steer(.set(.niceRatio, "0"))
            try await running.summary()
            #expect(running.log.contains("no longer throttled by the check from outside"))
            #expect(!running.log.contains("secret"), "\(running.log.all)")
            #expect(check.requests.allSatisfy { $0.hasPrefix("HEAD /may?token=secret ") } && !check.requests.isEmpty)
            await other.close()
            try await items.expectExact()
            try await items.finish()
        }
    }
}
