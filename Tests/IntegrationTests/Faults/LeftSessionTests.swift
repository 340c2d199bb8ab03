import Foundation
import PgConnection
import Testing
import ThrowawayServer

@testable import ShadowAlter

extension LiveMigrations {
    /// What a killed program's sessions are doing goes on in the server, until that notices that nobody is there any more.
    @Suite(.serialized, .timeLimit(.minutes(5))) struct LeftSessionTests {
        private static let run = [
            "run", "--table", "item", "--alter", "ALTER COLUMN id TYPE bigint", "--progress", "off", "--copy-workers",
            "1",
        ]

        private static let activity =
            "SELECT concat_ws(' ', pid, application_name, state, wait_event, backend_xid, query) FROM pg_stat_activity WHERE application_name <> ''"

        private static let ours =
            "SELECT FROM pg_stat_activity WHERE datname = current_database() AND application_name LIKE 'shadow-alter %'"

        /// An index that takes for ever: its session would hold its locks for as long.
        @Test(arguments: try await Servers.outermost())
        func theyEndByThemselves(_ binaries: ServerBinaries) async throws {
            let items = try await Items.create("orphan_index", on: binaries)
            try await items.session.execute("CREATE INDEX item_barrier ON item (index_barrier(id, 3000))")
            try await items.barrier.closeIndex()
            let first = try ToolProcess(Self.run, on: items.database)
            try await untilAnIndexWaits(items)
            first.send(SIGKILL)
            #expect(await first.ended().signal == SIGKILL)
            try await eventually("no session is left") { try await !items.session.isTrue("EXISTS (\(Self.ours))") }
            try await items.barrier.openIndex()
            try await goOn(items)
        }

        /// A program that is not dead but stopped keeps its sessions; its control session is ended, so that another one may go on. What the
        /// others were doing must not be committed behind that one's back.
        @Test(arguments: try await Servers.outermost(), [Failpoint.chunkInserted, .purging, .refreshing, .committing])
        func theNextRunEndsThem(_ binaries: ServerBinaries, _ point: Failpoint) async throws {
            let items = try await Items.create("orphan_\(point.rawValue)".lowercased(), on: binaries)
            let first = try ToolProcess(
                Self.run + ["--cut-over", point == .refreshing ? "manual" : "auto"], on: items.database,
                failpoint: "\(point.name)=pause")
            if point == .refreshing { try await writeOnce(items) }
            try await first.untilPaused()
            try await items.session.execute(
                """
                SELECT pg_terminate_backend(pid) FROM pg_stat_activity
                WHERE datname = current_database() AND application_name = 'shadow-alter control'
                """)
            try await goOn(items)
            first.send(SIGCONT)
            let ended = try await first.ended(within: .seconds(60))
            #expect(ended.exit == 1, "\(ended)")
            try await items.finish()
        }

        /// The slot that is being made for a run which is dead is nobody's: it would come into being later than the copy, or not at all.
        @Test(arguments: try await Servers.outermost())
        func aHalfMadeSlot(_ binaries: ServerBinaries) async throws {
            let items = try await Items.create("orphan_slot", on: binaries)
            let older = try await TestSession(items.database, "older")
            try await older.execute("BEGIN; CREATE TABLE older_transaction ()")
            let first = try ToolProcess(Self.run, on: items.database)
            let slot = "FROM pg_replication_slots WHERE database = current_database()"
            try await eventually("the slot is being made") {
                try await items.session.isTrue("EXISTS (SELECT \(slot) AND confirmed_flush_lsn IS NULL)")
            }
            first.send(SIGKILL)
            _ = await first.ended()
            let creator = try await items.session.column("SELECT active_pid \(slot)")
            let second = try ToolProcess(Self.run, on: items.database)
            try await eventually("the second run makes another one") {
                try await items.session.isTrue(
                    "EXISTS (SELECT \(slot) AND active_pid::text <> '\(creator.first ?? "0")' AND confirmed_flush_lsn IS NULL)"
                )
            }
            try await older.execute("COMMIT")
            let ended = await second.ended()
            #expect(ended.exit == 0, "\(ended)")
            await older.close()
            try await items.expectExact()
            try await items.finish()
        }

        /// A program that was stopped goes on when the next one has looked for its sessions already, and makes a slot by the same name.
        @Test(arguments: try await Servers.outermost())
        func aSlotThatIsBegunBehindItsBack(_ binaries: ServerBinaries) async throws {
            let items = try await Items.create("orphan_begun", on: binaries)
            let older = try await TestSession(items.database, "older")
            try await older.execute("BEGIN; SELECT pg_current_xact_id()")
            let run = try ToolProcess(Self.run, on: items.database, failpoint: "published=pause")
            try await run.untilPaused()
            let name = try #require(
                try await items.session.column(
                    "SELECT pubname FROM pg_publication_tables WHERE schemaname = 'public' AND tablename = 'item'"
                ).first)
            let stopped = try await TestSession(items.database, "shadow-alter control")
            let begun = Task {
                _ = try? await stopped.execute("SELECT pg_create_logical_replication_slot('\(name)', 'pgoutput')")
            }
            let slot =
                "FROM pg_replication_slots WHERE slot_name = '\(name)' AND confirmed_flush_lsn IS NULL AND active_pid"
            try await eventually("the slot is being made") {
                try await items.session.isTrue("EXISTS (SELECT \(slot) = \(stopped.pid))")
            }
            run.send(SIGCONT)
            do {
                try await eventually("the run ends that session, and makes its own") {
                    if !run.isRunning { throw NeverHappened(description: "it ended before: \(await run.ended())") }
                    return try await items.session.isTrue(
                        "NOT EXISTS (SELECT FROM pg_stat_activity WHERE pid = \(stopped.pid))")
                }
            } catch let error as NeverHappened {
                run.send(SIGKILL)
                throw NeverHappened(
                    description: "\(error); \(await run.ended()); \(try await items.session.column(Self.activity))")
            }
            await begun.value
            try await older.execute("COMMIT")
            let ended = try await run.ended(within: .seconds(60))
            #expect(ended.exit == 0, "\(ended)")
            await older.close()
            await stopped.close()
            try await items.expectExact()
            try await items.finish()
        }

        /// Nobody knows what was written since: the same command starts over, and says why.
        @Test(arguments: try await Servers.outermost())
        func aLostSlot(_ binaries: ServerBinaries) async throws {
            let items = try await Items.create("orphan_lost", on: binaries)
            let first = try await ToolProcess.run(Self.run, on: items.database, failpoint: "indexed")
            #expect(first.signal == SIGKILL)
            try await eventually("the slot is dropped") {
                (try? await items.session.execute(
                    "SELECT pg_drop_replication_slot(slot_name) FROM pg_replication_slots WHERE database = current_database()"
                )) != nil
            }
            try await items.session.execute("UPDATE item SET value = 'nobody knows of it' WHERE id % 3 = 0")
            // It may die while it removes what it has made before.
            let second = try await ToolProcess.run(Self.run, on: items.database, failpoint: "publication-dropped")
            #expect(second.signal == SIGKILL, "\(second)")
            let third = try await ToolProcess.run(Self.run, on: items.database)
            #expect(third.exit == 0, "\(third)")
            for ended in [second, third] {
                #expect(
                    ended.error.contains("migration item starts over: its replication slot")
                        && ended.error.contains("is gone"),
                    "\(ended)")
            }
            try await items.expectExact()
            try await items.finish()
        }

        private func writeOnce(_ items: Items) async throws {
            try await eventually("there is something to be refreshed") {
                (try? await items.session.isTrue("EXISTS (SELECT FROM shadow_alter.migration WHERE phase = 'ready')"))
                    == true
            }
            try await items.session.execute("UPDATE item SET value = 'refreshed' WHERE id % 5 = 0")
        }

        private func untilAnIndexWaits(_ items: Items) async throws {
            try await eventually("an index build stands at the barrier") {
                try await items.session.isTrue(
                    "EXISTS (SELECT FROM pg_locks WHERE locktype = 'advisory' AND objid = 4713 AND NOT granted "
                        + "AND database = (SELECT oid FROM pg_database WHERE datname = current_database()))")
            }
        }

        private func goOn(_ items: Items) async throws {
            // What the first one's sessions hold, it would wait for as long as these live.
            let ended = try await ToolProcess(Self.run, on: items.database).ended(within: .seconds(60))
            #expect(ended.exit == 0, "\(ended)")
            try await items.expectExact()
        }
    }
}
