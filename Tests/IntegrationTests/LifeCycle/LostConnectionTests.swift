import PgConnection
import ShadowAlter
import Testing
import ThrowawayServer

extension LiveMigrations {
    /// Connections that end in the middle: the stream comes back by itself, everything else by the next run.
    @Suite(.serialized, .timeLimit(.minutes(5))) struct LostConnectionTests {
        @Test(arguments: try await Servers.outermost())
        func theStreamReconnects(_ binaries: ServerBinaries) async throws {
            let items = try await Items.create("lost_stream", on: binaries)
            let running = RunningMigration(Items.gated, items.database, .pageByPage.manual())
            try await items.barrier.waitForCopy(running)
            for round in 1...3 {
                try await items.session.execute("UPDATE item SET value = 'before \(round)' WHERE id % 5 = \(round)")
                try await terminate("shadow-alter stream", items, running)
                try await items.session.execute("UPDATE item SET value = 'after \(round)' WHERE id % 9 = \(round)")
            }
            try await items.barrier.openCopy()
            try await running.untilReady(items.session)
            try await terminate("shadow-alter stream", items, running)
            try await items.session.execute("DELETE FROM item WHERE id % 17 = 0")
            try await Steer(connections: items.database.options).run(.cutOver, "item")
            try await running.summary()
            #expect(running.log.contains("the change stream broke"))
            try await items.expectExact()
            try await items.finish()
        }

        @Test(arguments: try await Servers.outermost(), ["copy", "control", "spool", "watermark"])
        func anotherConnectionEndsTheRunAndTheNextContinues(_ binaries: ServerBinaries, _ role: String) async throws {
            let items = try await Items.create("lost_\(role)", on: binaries)
            let first = RunningMigration(Items.gated, items.database, .pageByPage)
            try await items.barrier.waitForCopy(first)
            let copied = try await items.copiedRows()
            try await terminate("shadow-alter \(role)", items, first)
            // A spool without a connection is noticed when there is something to write, a control session at its next step.
            try await items.session.execute("UPDATE item SET value = 'meanwhile' WHERE id % 3 = 0")
            try await items.barrier.openCopy()
            let error = try #require(await first.failure())
            #expect("\(error)".contains("connection") || "\(error)".contains("terminat"), "\(role): \(error)")
            #expect(try await items.copiedRows() >= copied)
            let second = RunningMigration(Items.gated, items.database, .pageByPage)
            try await second.summary()
            try await items.expectExact()
            try await items.finish()
        }

        private func terminate(_ applicationName: String, _ items: Items, _ running: RunningMigration) async throws {
            let session = items.session
            let find =
                "SELECT pid FROM pg_stat_activity WHERE datname = current_database() AND application_name = '\(applicationName)'"
            var pids: [String] = []
            try await running.until("there is a session \(applicationName)") {
                pids = try await session.column(find)
                return !pids.isEmpty
            }
            for pid in pids { try await session.execute("SELECT pg_terminate_backend(\(pid))") }
            try await eventually("the sessions are gone") {
                try await session.isTrue(
                    "NOT EXISTS (SELECT FROM pg_stat_activity WHERE pid IN (\(pids.joined(separator: ", "))))")
            }
        }
    }
}
