import Foundation
import Testing
import ThrowawayServer

@testable import ShadowAlter

extension LiveMigrations {
    /// A run that dies in a rollback, when it has built a materialized view over the old tables and not exchanged them.
    @Suite(.serialized, .timeLimit(.minutes(5))) struct DeadRollbackTests {
        private static let run = [
            "run", "--table", "item", "--alter", "ALTER COLUMN id TYPE bigint", "--bake", "until-finalize",
            "--progress",
            "off",
        ]

        private func die(_ items: Items) async throws {
            try await items.session.execute(
                """
                CREATE MATERIALIZED VIEW item_count AS SELECT count(*) AS items FROM item;
                CREATE MATERIALIZED VIEW item_parity AS SELECT items % 2 AS parity FROM item_count
                """)
            // Two views each time: the rollback's second one is the fourth.
            let process = try ToolProcess(Self.run, on: items.database, failpoint: "prepared:4=kill")
            let reader = StatusReader(connections: items.database.options)
            try await eventually("a rollback is possible") {
                guard let status = try? await reader.status(of: "item") else { return false }
                return status.phase == .baking && status.rollbackPossible
            }
            #expect(try await ToolProcess.run(["rollback", "item"], on: items.database).exit == 0)
            let ended = await process.ended()
            #expect(ended.signal == SIGKILL, "\(ended)")
            #expect(try await items.session.isTrue("to_regclass('item_blue.item_parity') IS NOT NULL"))
        }

        /// It is nobody's, and in nobody's way.
        @Test(arguments: try await Servers.outermost())
        func finalizeTakesTheViewAway(_ binaries: ServerBinaries) async throws {
            let items = try await Items.create("dead_rollback_finalize", on: binaries)
            try await die(items)
            let ended = try await ToolProcess.run(["finalize", "item"], on: items.database)
            #expect(ended.exit == 0, "\(ended)")
            #expect(try await items.session.column("SELECT items FROM item_count") == ["\(Items.rows)"])
            try await Remains(session: items.session).expectNothing()
            await items.close()
        }

        /// What was written since is in it.
        @Test(arguments: try await Servers.outermost())
        func theNextRollbackBuildsItAnew(_ binaries: ServerBinaries) async throws {
            let items = try await Items.create("dead_rollback_again", on: binaries)
            try await die(items)
            try await items.session.execute(
                "INSERT INTO item SELECT n, 'later', '' FROM generate_series(10001, 10007) n")
            let ended = try await ToolProcess.run(Self.run, on: items.database)
            #expect(ended.exit == 4, "\(ended)")
            #expect(try await items.session.column("SELECT items FROM item_count") == ["\(Items.rows + 7)"])
            #expect(try await items.session.column("SELECT parity FROM item_parity") == ["\((Items.rows + 7) % 2)"])
            try await Remains(session: items.session).expectNothing()
            await items.close()
        }

        /// A wish that is taken back before the next run leaves nothing that a later `finalize` would meet.
        @Test(arguments: try await Servers.outermost())
        func theWishIsTakenBack(_ binaries: ServerBinaries) async throws {
            let items = try await Items.create("dead_rollback_postponed", on: binaries)
            try await die(items)
            #expect(try await ToolProcess.run(["postpone", "item"], on: items.database).exit == 0)
            let next = try ToolProcess(Self.run, on: items.database)
            try await eventually("it follows again") {
                try await items.session.isTrue(
                    "EXISTS (SELECT FROM pg_stat_replication WHERE application_name = 'shadow-alter stream')")
            }
            let ended = try await ToolProcess.run(["finalize", "item"], on: items.database)
            #expect(ended.exit == 0, "\(ended)")
            #expect(await next.ended().exit == 0)
            try await Remains(session: items.session).expectNothing()
            await items.close()
        }
    }
}
