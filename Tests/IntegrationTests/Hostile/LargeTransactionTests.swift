import ShadowAlter
import Testing
import ThrowawayServer

extension LiveMigrations {
    /// A transaction of the application's that changes more than the WAL sender keeps in memory, unless it may keep more.
    @Suite(.serialized, .timeLimit(.minutes(5))) struct LargeTransactionTests {
        private static let rows = 250_000

        @Test(arguments: try await Servers.outermost(), [nil, 512 << 20])
        func itIsSpilledOnlyBeyondTheMemory(_ binaries: ServerBinaries, _ memory: Int64?) async throws {
            let database = try await TestDatabase.create("large_transaction", on: binaries)
            try await database.psql(
                """
                CREATE TABLE reading (id int PRIMARY KEY, value int NOT NULL, note text NOT NULL);
                INSERT INTO reading SELECT n, 0, repeat('.', 200) FROM generate_series(1, \(Self.rows)) n;
                ANALYZE reading;
                """)
            let session = try await TestSession(database)
            let others: Int = try await session.value(
                "SELECT pg_size_bytes(current_setting('logical_decoding_work_mem'))")
            #expect(others == 64 << 20, "the server's setting holds for everybody else")
            var options = MigrationOptions().manual()
            options.decodingMemory = memory
            let running = RunningMigration(MigrationRequest("reading", "ALTER id TYPE bigint"), database, options)
            try await running.untilReady(session)
            // Said by the WAL sender at the end of each transaction that it decodes, the copy's among them.
            let statistics = "FROM pg_stat_replication_slots WHERE slot_name LIKE 'shadow_alter_%'"
            let before: Int = try await session.value("SELECT max(total_bytes) \(statistics)")
            try await session.execute("UPDATE reading SET value = id")
            try await eventually("decoded") {
                let decoded: Int = try await session.value("SELECT max(total_bytes) \(statistics)")
                return decoded > before + 64 << 20
            }
            let spilled: Int = try await session.value("SELECT max(spill_txns) \(statistics)")
            #expect((spilled > 0) == (memory == nil))
            try await Steer(connections: database.options).run(.cutOver, "reading")
            try await running.summary()
            let wrong: Int = try await session.value("SELECT count(*) FROM reading WHERE value <> id")
            #expect(wrong == 0)
            try await Remains(session: session).expectOnlyBlue("reading")
            await session.close()
        }
    }
}
