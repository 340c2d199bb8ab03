import PgConnection
import ShadowAlter
import Testing
import ThrowawayServer

extension LiveMigrations {
    /// With synchronous replication the stream tells of a commit before other sessions see it.
    @Suite(.serialized, .timeLimit(.minutes(5))) struct VisibilityTests {
        @Test(arguments: try await Servers.outermost())
        func aCommitThatNobodySeesYetIsNotForgotten(_ binaries: ServerBinaries) async throws {
            // The setting concerns the whole server, so that this one has its own.
            let server = try await ThrowawayServer.start(binaries)
            let items = try await Items.create("visibility", in: server)
            let running = RunningMigration(Items.plain, items.database, .quick.manual())
            try await running.untilReady(items.session)
            try await items.session.execute("SET synchronous_commit = local")

            let (writer, written) = try await Self.writeInvisibly(items, running)
            #expect(try await items.session.isTrue("NOT EXISTS (SELECT FROM item WHERE value = 'invisible')"))
            // Comes later in the stream: when the shadow has it, everything before it was looked at.
            try await items.session.execute("UPDATE item SET value = 'visible' WHERE id = 100")
            try await running.until("the shadow has what was written later") {
                try await items.session.isTrue(
                    "EXISTS (SELECT FROM item_green.item WHERE id = 100 AND value = 'visible')")
            }

            // It is in the way, too: exchanging the tables now would lose it.
            try await Steer(connections: items.database.options).run(.cutOver, "item")
            try await running.until("the cut-over waits for the writer") {
                running.migration.status.snapshot.reason?.contains("session \(writer.pid) ") ?? false
            }
            #expect(try await items.session.isTrue("to_regclass('item_green.item') IS NOT NULL"))

            try await Self.setStandby("", items)
            _ = try await written.value
            try await running.summary()
            try await items.expectExact()
            #expect(try await items.session.isTrue("(SELECT count(*) FROM item WHERE value = 'invisible') = 50"))
            await writer.close()
            try await items.finish()
            try await server.stop()
        }

        /// Its key stays in the spool, which is made small all the same.
        @Test(arguments: try await Servers.outermost())
        func aKeyThatStaysDoesNotKeepTheSpoolLarge(_ binaries: ServerBinaries) async throws {
            let server = try await ThrowawayServer.start(binaries)
            let items = try await Items.create("visibility_spool", in: server)
            let running = RunningMigration(Items.plain, items.database, .quick.manual())
            try await running.untilReady(items.session)
            let old = try await TestSession(items.database, "pg_dump")
            try await old.execute("BEGIN ISOLATION LEVEL REPEATABLE READ; SELECT count(*) FROM other")
            try await items.session.execute("SET synchronous_commit = local")
            let (writer, written) = try await Self.writeInvisibly(items, running)
            var round = 0
            try await eventually("the spool was made small again", within: .seconds(200)) {
                round += 1
                try await items.session.execute("UPDATE item SET value = 'round \(round)' WHERE id > 50")
                // Or there would be ever more versions of each row, which nobody may remove.
                try await running.until("the round has come through") {
                    try await items.session.isTrue(
                        "(SELECT count(*) FROM item_green.item WHERE value = 'round \(round)') = \(Items.rows - 50)")
                }
                return running.log.contains("made the spool small again")
            }
            try await Self.setStandby("", items)
            _ = try await written.value
            try await old.execute("COMMIT")
            await old.close()
            try await Steer(connections: items.database.options).run(.cutOver, "item")
            try await running.summary()
            try await items.expectExact()
            #expect(try await items.session.isTrue("(SELECT count(*) FROM item WHERE value = 'invisible') = 50"))
            await writer.close()
            try await items.finish()
            try await server.stop()
        }

        /// A commit that is in the stream and that nobody sees, until there is no standby to wait for.
        private static func writeInvisibly(
            _ items: Items, _ running: RunningMigration
        ) async throws -> (TestSession, Task<PgResult, any Error>) {
            try await setStandby("a standby that does not exist", items)
            let writer = try await TestSession(items.database, "writer")
            let written = Task {
                try await writer.execute("UPDATE item SET value = 'invisible' WHERE id BETWEEN 1 AND 50")
            }
            try await running.until("the writer waits for the standby") {
                try await items.session.isTrue(
                    "EXISTS (SELECT FROM pg_stat_activity WHERE pid = \(writer.pid) AND wait_event = 'SyncRep')")
            }
            return (writer, written)
        }

        /// The slot is consistent from a position on that comes after such a commit: it is not in the stream, and a chunk would not see it either.
        @Test(arguments: try await Servers.outermost())
        func aCommitFromBeforeTheCaptureIsWaitedFor(_ binaries: ServerBinaries) async throws {
            let server = try await ThrowawayServer.start(binaries)
            let items = try await Items.create("visibility_before", in: server)
            try await items.session.execute("SET synchronous_commit = local")
            let older = try await TestSession(items.database, "older")
            try await older.execute("BEGIN; SELECT pg_current_xact_id()")
            let running = RunningMigration(Items.plain, items.database, .quick)
            // PostgreSQL waits for those that it has met, and then for those that began meanwhile. What begins later still and commits before
            // these have ended is neither waited for nor in the stream.
            try await Self.untilWaitedFor(older, items, running)
            let later = try await TestSession(items.database, "later")
            try await later.execute("BEGIN; SELECT pg_current_xact_id()")
            try await older.execute("ROLLBACK")
            try await Self.untilWaitedFor(later, items, running)
            let (writer, written) = try await Self.writeInvisibly(items, running)
            try await later.execute("ROLLBACK")
            var waits = false
            try await running.until("the copy waits for the writer, or is over") {
                waits = running.migration.status.snapshot.reason?.contains("wrote before the capture began") ?? false
                return waits || running.log.contains("phase indexing")
            }
            #expect(waits)
            try await Self.setStandby("", items)
            _ = try await written.value
            try await running.summary()
            try await items.expectExact()
            #expect(try await items.session.isTrue("(SELECT count(*) FROM item WHERE value = 'invisible') = 50"))
            for session in [older, later, writer] { await session.close() }
            try await items.finish()
            try await server.stop()
        }

        /// The slot's creation waits for the transaction of this session.
        private static func untilWaitedFor(
            _ session: TestSession, _ items: Items, _ running: RunningMigration
        ) async throws {
            try await running.until("the slot waits for session \(session.pid)") {
                try await items.session.isTrue(
                    """
                    EXISTS (SELECT FROM pg_locks w JOIN pg_stat_activity a ON a.pid = w.pid JOIN pg_locks h USING (transactionid)
                            WHERE w.locktype = 'transactionid' AND NOT w.granted AND h.granted AND h.pid = \(session.pid)
                                AND a.application_name LIKE 'shadow-alter %')
                    """)
            }
        }

        private static func setStandby(_ name: String, _ items: Items) async throws {
            try await items.session.execute(
                "ALTER SYSTEM SET synchronous_standby_names = '\(name.isEmpty ? "" : "\"\(name)\"")'")
            try await items.session.execute("SELECT pg_reload_conf()")
            try await eventually("the setting is in force") {
                try await items.session.isTrue(
                    "(current_setting('synchronous_standby_names') <> '') = \(!name.isEmpty)")
            }
        }
    }
}
