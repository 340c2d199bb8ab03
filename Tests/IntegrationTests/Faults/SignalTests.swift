import Foundation
import Testing
import ThrowawayServer

@testable import ShadowAlter

extension LiveMigrations {
    /// The first signal lets the work in hand come to its end, the second one does not.
    @Suite(.serialized, .timeLimit(.minutes(5))) struct SignalTests {
        private static let run = [
            "run", "--table", "item", "--alter", "ALTER COLUMN id TYPE bigint, \(Barrier.copyStops(at: Items.middle))",
            "--progress", "off", "--copy-workers", "1",
        ]

        @Test(arguments: try await Servers.outermost(), [SIGINT, SIGTERM])
        func theChunkInHandIsFinished(_ binaries: ServerBinaries, _ signal: Int32) async throws {
            let items = try await Items.create("signal_once_\(signal)", on: binaries)
            let process = try ToolProcess(Self.run, on: items.database)
            try await untilTheCopyWaits(items)
            process.send(signal)
            try await eventually("it says so") { process.error.contains("ending after the work in hand") }
            #expect(process.isRunning)
            #expect(try await items.copiedRows() == 0)
            try await items.barrier.openCopy()
            let ended = await process.ended()
            #expect(ended.exit == 1 && ended.error.contains("Interrupted in the phase copying"), "\(ended)")
            #expect(ended.error.contains("run the same command again") && ended.error.contains("abort"), "\(ended)")
            #expect(try await items.copiedRows() == Items.rows)
            try await goOn(items)
        }

        @Test(arguments: try await Servers.outermost(), [SIGINT, SIGTERM])
        func theSecondOneStopsAtOnce(_ binaries: ServerBinaries, _ signal: Int32) async throws {
            let items = try await Items.create("signal_twice_\(signal)", on: binaries)
            let process = try ToolProcess(Self.run, on: items.database)
            try await untilTheCopyWaits(items)
            process.send(signal)
            try await eventually("it says so") { process.error.contains("ending after the work in hand") }
            process.send(signal)
            // The barrier is closed still: nothing but the signal can have ended it.
            let ended = await process.ended()
            #expect(ended.exit == 130, "\(ended)")
            try await items.barrier.openCopy()
            try await goOn(items)
        }

        private func untilTheCopyWaits(_ items: Items) async throws {
            try await eventually("the copy stands at the barrier") {
                try await items.session.isTrue(
                    "EXISTS (SELECT FROM pg_locks WHERE locktype = 'advisory' AND objid = 4712 AND granted "
                        + "AND database = (SELECT oid FROM pg_database WHERE datname = current_database()))")
            }
        }

        private func goOn(_ items: Items) async throws {
            let ended = try await ToolProcess.run(Self.run, on: items.database)
            #expect(ended.exit == 0, "\(ended)")
            try await items.expectExact()
            try await items.finish()
        }
    }
}
