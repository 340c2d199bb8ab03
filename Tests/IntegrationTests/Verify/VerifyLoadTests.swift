import LedgerWorkload
import PgConnection
import ShadowAlter
import Testing
import ThrowawayServer

extension LiveMigrations {
    /// A healthy table has no mismatches, however much is written to it. The migrations of all other tests are verified, too, and fail when one is found.
    @Suite(.serialized, .timeLimit(.minutes(15))) struct VerifyLoadTests {
        /// Keys that are equal and do not look alike, values without `=`, unique values that change places, hot rows, nullable everything.
        private static let setup = """
            CREATE TABLE odd (
                part numeric NOT NULL, name text NOT NULL, swapped int UNIQUE, doc json, place point, ratio float8, fixed char(6),
                big text, n int, PRIMARY KEY (part, name));
            ALTER TABLE odd REPLICA IDENTITY FULL;
            INSERT INTO odd SELECT n % 10, 'Name ' || n, n, '{"a":1}', point(n, n), CASE n % 3 WHEN 0 THEN 'NaN' WHEN 1 THEN '-0'::float8 ELSE n END, 'f',
                repeat(md5(n::text), 100), 0
            FROM generate_series(1, 3000) n;
            CREATE TABLE leaf_parent (id int, value text, n int, PRIMARY KEY (id)) PARTITION BY RANGE (id);
            CREATE TABLE leaf_1 PARTITION OF leaf_parent FOR VALUES FROM (0) TO (1500);
            CREATE TABLE leaf_2 PARTITION OF leaf_parent FOR VALUES FROM (1500) TO (100000);
            INSERT INTO leaf_parent SELECT n, 'value ' || n, 0 FROM generate_series(1, 3000) n;
            CREATE TABLE by_uuid (id uuid PRIMARY KEY, value text, n int);
            INSERT INTO by_uuid SELECT md5(n::text)::uuid, 'value ' || n, 0 FROM generate_series(1, 3000) n;
            """

        /// Statements of one writer, each with a number that comes from chance.
        private static let writes: [@Sendable (Int) -> String] = [
            { "UPDATE odd SET n = n + 1, big = md5(random()::text) WHERE swapped = \($0)" },
            {
                "UPDATE odd SET name = CASE WHEN name = upper(name) COLLATE \"C\" THEN lower(name) ELSE upper(name) END WHERE swapped = \($0)"
            },
            {
                "UPDATE odd SET part = CASE WHEN scale(part) = 0 THEN part * 1.00 ELSE trim_scale(part) END WHERE swapped = \($0)"
            },
            { "UPDATE odd SET n = n + 1 WHERE swapped = 5 /* \($0) */" },
            {
                "BEGIN; UPDATE odd SET swapped = -\($0) WHERE swapped = \($0); UPDATE odd SET swapped = \($0) WHERE swapped = \($0 + 1); "
                    + "UPDATE odd SET swapped = \($0 + 1) WHERE swapped = -\($0); COMMIT"
            },
            { "UPDATE odd SET doc = NULL, place = NULL, ratio = -ratio, fixed = NULL WHERE swapped = \($0)" },
            {
                "DELETE FROM odd WHERE swapped = \($0); INSERT INTO odd (part, name, swapped) VALUES (\($0 % 10), 'New \($0)', \($0))"
            },
            {
                "INSERT INTO leaf_parent VALUES (\($0 + 5000), 'new', 0) ON CONFLICT (id) DO UPDATE SET n = leaf_parent.n + 1"
            },
            {
                "DELETE FROM leaf_parent WHERE id = \($0); UPDATE leaf_parent SET n = n + 1 WHERE id BETWEEN \($0) AND \($0 + 20)"
            },
            { "UPDATE leaf_parent SET id = id + 20000 WHERE id = \($0)" },
            { "UPDATE by_uuid SET n = n + 1 WHERE id::text = md5('\($0)')::uuid::text" },
            {
                "DELETE FROM by_uuid WHERE id::text = md5('\($0)')::uuid::text; INSERT INTO by_uuid VALUES (md5('\($0)')::uuid, 'again', 0)"
            },
        ]

        private func write(_ database: TestDatabase, _ number: Int) -> Task<Int, any Error> {
            Task {
                let session = try await TestSession(database, "writer \(number)")
                var done = 0
                while !Task.isCancelled {
                    let write = Self.writes.randomElement()
                    do {
                        try await session.execute(write?(Int.random(in: 1..<2900)) ?? "")
                        done += 1
                    } catch let error as PgError
                        where error.sqlState == .uniqueViolation || error.sqlState?.classCode == "40"
                    {
                        // Two writers have met: as it would be without a migration.
                        _ = try? await session.execute("ROLLBACK")
                    }
                    // Leaves the processor to the stream and the comparison.
                    try? await Task.sleep(for: .milliseconds(2))
                }
                await session.close()
                return done
            }
        }

        @Test(arguments: try await Servers.outermost())
        func aHealthyTableIsNeverAccused(_ binaries: ServerBinaries) async throws {
            let database = try await TestDatabase.create("verify_load", on: binaries)
            try await database.psql(Self.setup)
            let session = try await TestSession(database)
            // Not every build of PostgreSQL has ICU.
            try await session.execute(
                """
                DO $$ BEGIN
                    CREATE COLLATION folded (provider = icu, locale = 'und-u-ks-level2', deterministic = false);
                    ALTER TABLE odd ALTER name TYPE text COLLATE folded;
                EXCEPTION WHEN feature_not_supported THEN NULL; END $$
                """)
            let writers = (1...3).map { write(database, $0) }
            let requests = [
                MigrationRequest("odd", "ALTER n TYPE bigint, ADD extra int DEFAULT 3"),
                MigrationRequest("leaf_parent", "ALTER n TYPE bigint"),
                MigrationRequest("by_uuid", "ALTER id TYPE text"),
            ]
            for request in requests {
                let running = RunningMigration(request, database, .quick.manual())
                try await running.until("it is ready, or has ended") {
                    running.migration.status.snapshot.phase == .ready
                }
                let steer = Steer(connections: database.options)
                let name = try await session.column("SELECT name FROM shadow_alter.migration WHERE phase <> 'done'")[0]
                for round in 1...6 {
                    let started: String = try await session.value(
                        "SELECT verify_started_at::text FROM shadow_alter.migration WHERE name = '\(name)'")
                    try await steer.run(.verify, name)
                    try await running.until("round \(round)") {
                        try await session.isTrue(
                            """
                            EXISTS (SELECT FROM shadow_alter.migration WHERE name = '\(name)' AND verify_started_at > '\(started)'
                                AND verify_ended_at IS NOT NULL)
                            """)
                    }
                    let seen = try await StatusReader(connections: database.options).status(of: name).verify
                    #expect(seen.mismatches == 0 && seen.outcome == .passed, "\(name): \(running.log.all.suffix(30))")
                    #expect(seen.rowsChecked > 1000)
                }
                try await steer.run(.cutOver, name)
                try await running.summary()
            }
            for writer in writers { writer.cancel() }
            for writer in writers { #expect(try await writer.value > 100) }
            await session.close()
        }
    }
}
