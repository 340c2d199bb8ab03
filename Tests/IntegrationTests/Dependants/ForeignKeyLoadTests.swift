import PgConnection
import ShadowAlter
import Testing
import ThrowawayServer

extension LiveMigrations {
    /// Foreign keys under load: nobody notices, and nobody who uses both tables is in danger.
    @Suite(.serialized, .timeLimit(.minutes(5))) struct ForeignKeyLoadTests {
        @Test(arguments: try await Servers.outermost(), ["parent", "child"])
        func bothSidesAreWrittenAllTheTime(_ binaries: ServerBinaries, _ table: String) async throws {
            let database = try await TestDatabase.create("fk_load_\(table)", on: binaries)
            try await database.psql(FamilyLoad.setup)
            let load = FamilyLoad.start(database)
            var options = MigrationOptions()
            options.maximumChunkPages = 4
            options.niceRatio = 2
            let running = RunningMigration(MigrationRequest(table, "ALTER id TYPE bigint"), database, options)
            try await running.summary()
            try await load.stopAndVerify()
            let session = try await TestSession(database)
            #expect(
                try await session.column(
                    "SELECT convalidated::text FROM pg_constraint WHERE conname = 'child_parent_fkey'") == ["true"])
            try await Finalize(connections: database.options).run(table)
            try await Remains(session: session).expectNothing()
            await session.close()
        }

        /// The application has the child's lock and asks for the parent's, which the cut-over has, while it waits for the child's: the
        /// cut-over gives way, before PostgreSQL looks for somebody to end.
        @Test(arguments: try await Servers.outermost())
        func whoLocksInTheOtherOrderIsNotHurt(_ binaries: ServerBinaries) async throws {
            let database = try await TestDatabase.create("fk_deadlock", on: binaries)
            try await database.psql(FamilyLoad.setup)
            let session = try await TestSession(database)
            // Far more patience than PostgreSQL has with deadlocks.
            var options = MigrationOptions.quick.manual()
            options.lockTimeout = .seconds(100)
            options.cutOverBudget = .seconds(100)
            let running = RunningMigration(MigrationRequest("parent", "ALTER id TYPE bigint"), database, options)
            try await running.untilReady(session)
            let writer = try await TestSession(database, "writer")
            try await writer.execute("BEGIN; UPDATE child SET n = 1 WHERE id = 1")
            try await Steer(connections: database.options).run(.cutOver, "parent")
            try await running.until("the cut-over has the parent and waits for the child") {
                try await session.isTrue(
                    """
                    EXISTS (SELECT FROM pg_locks w JOIN pg_locks h USING (pid) JOIN pg_stat_activity a USING (pid)
                        WHERE a.application_name = 'shadow-alter cut-over' AND w.mode = 'AccessExclusiveLock' AND h.mode = w.mode
                            AND w.relation = 'child'::regclass AND NOT w.granted AND h.relation = 'parent'::regclass AND h.granted)
                    """)
            }
            try await writer.execute("UPDATE parent SET n = 1 WHERE id = 1")
            try await writer.execute("COMMIT")
            let summary = try await running.summary()
            #expect(summary.cutOver.attempts >= 2)
            #expect(running.log.contains("the lock was not granted"), "\(running.log.all)")
            #expect(
                try await session.isTrue(
                    "(SELECT n FROM parent WHERE id = 1) = 1 AND (SELECT n FROM child WHERE id = 1) = 1"))
            await writer.close()
            await session.close()
        }
    }
}
