import Foundation
import Testing
import ThrowawayServer

@testable import ShadowAlter

extension LiveMigrations {
    /// The old table is live again, and the new one is still there.
    @Suite(.serialized, .timeLimit(.minutes(5))) struct RollbackEndTests {
        private static let run = [
            "run", "--table", "item", "--alter", "ALTER COLUMN id TYPE bigint", "--bake", "until-finalize",
            "--progress", "off",
        ]

        /// Whoever reads the new table is named and waited for, and whoever writes to the live one notices nothing.
        @Test(arguments: try await Servers.outermost())
        func theNewTableWaitsForItsReader(_ binaries: ServerBinaries) async throws {
            let items = try await Items.create("rollback_end", on: binaries)
            // The second exchange is the rollback's.
            let process = try ToolProcess(Self.run, on: items.database, failpoint: "committed:2=kill")
            let reader = StatusReader(connections: items.database.options)
            try await eventually("a rollback is possible") {
                guard let status = try? await reader.status(of: "item") else { return false }
                return status.phase == .baking && status.rollbackPossible
            }
            #expect(try await ToolProcess.run(["rollback", "item"], on: items.database).exit == 0)
            let killed = await process.ended()
            #expect(killed.signal == SIGKILL, "\(killed)")

            let session = try await TestSession(items.database, "reader")
            try await session.execute("BEGIN; SELECT FROM item_green.item LIMIT 1")
            let next = try ToolProcess(Self.run, on: items.database)
            try await eventually("the reader is named") {
                guard next.isRunning else { throw NeverHappened(description: "it has ended: \(await next.ended())") }
                return next.error.contains("the end of the rollback waits: session \(session.pid)")
            }
            try await items.session.execute("UPDATE item SET value = 'meanwhile' WHERE id = 3")
            #expect(try await items.session.isTrue("to_regclass('item_green.item') IS NOT NULL"))
            try await session.execute("COMMIT")
            let ended = await next.ended()
            #expect(ended.exit == 4, "\(ended)")
            #expect(try await items.session.column("SELECT value FROM item WHERE id = 3") == ["meanwhile"])
            try await Remains(session: items.session).expectNothing()
            await session.close()
            await items.close()
        }
    }
}
