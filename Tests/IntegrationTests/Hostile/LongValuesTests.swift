import ShadowAlter
import Testing
import ThrowawayServer

extension LiveMigrations {
    /// A few pages of rows with hundreds of megabytes in TOAST.
    @Suite(.serialized, .timeLimit(.minutes(5))) struct LongValuesTests {
        /// What one transaction of the copy brings along is small enough for the WAL sender to keep it in memory, and is not written to the primary's disk
        /// once more.
        @Test(arguments: try await Servers.outermost())
        func theStreamSpillsNothing(_ binaries: ServerBinaries) async throws {
            let database = try await TestDatabase.create("long_values", on: binaries)
            try await database.psql(
                """
                CREATE TABLE document (id int PRIMARY KEY, text text);
                ALTER TABLE document ALTER text SET STORAGE EXTERNAL;
                INSERT INTO document SELECT n, repeat(md5(n::text), 400) FROM generate_series(1, 12000) n;
                ANALYZE document;
                """)
            let session = try await TestSession(database)
            let request = MigrationRequest("document", "ALTER id TYPE bigint")
            let running = RunningMigration(request, database, MigrationOptions().manual())
            try await running.untilReady(session)
            let pages: Int = try await session.value("SELECT source_pages FROM shadow_alter.migrated_table")
            #expect(pages < 256, "one chunk would not have been all of it: the test tests nothing")
            let chunks: Int = try await session.value("SELECT count(*) FROM shadow_alter.chunk")
            #expect(chunks > 5)
            // Written by the WAL sender at the end of each transaction that it decodes.
            let spilled = try await session.column(
                "SELECT spill_bytes FROM pg_stat_replication_slots WHERE slot_name LIKE 'shadow_alter_%'")
            #expect(spilled.allSatisfy { $0 == "0" }, "\(spilled)")
            try await Steer(connections: database.options).run(.cutOver, "document")
            try await running.summary()
            let wrong: Int = try await session.value(
                """
                SELECT count(*) FROM (SELECT id, text FROM document EXCEPT ALL SELECT id::bigint, text FROM document_blue.document) d
                """)
            #expect(wrong == 0)
            try await Remains(session: session).expectOnlyBlue("document")
            await session.close()
        }
    }
}
