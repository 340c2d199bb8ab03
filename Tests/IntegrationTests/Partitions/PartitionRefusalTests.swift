import PgConnection
import Testing
import ThrowawayServer

@testable import ShadowAlter

extension LiveMigrations {
    /// States of partitioned tables in which nothing is begun, and others that are carried over as they are.
    @Suite(.serialized, .timeLimit(.minutes(5))) struct PartitionRefusalTests {
        private static let items = """
            CREATE TABLE item (id int PRIMARY KEY, value text) PARTITION BY RANGE (id);
            CREATE TABLE item_low PARTITION OF item FOR VALUES FROM (0) TO (1000);
            CREATE TABLE item_high PARTITION OF item FOR VALUES FROM (1000) TO (10000);
            INSERT INTO item SELECT n, 'value ' || n FROM generate_series(1, 3000) n;
            """

        /// Whoever owns a partition alone cannot detach it.
        @Test(arguments: try await Servers.outermost())
        func somebodyElsesPartitionedTable(_ binaries: ServerBinaries) async throws {
            let database = try await TestDatabase.create("partition_owner", on: binaries)
            try await database.psql(
                Self.items + """
                    DROP ROLE IF EXISTS leaf_migrator; CREATE ROLE leaf_migrator LOGIN REPLICATION;
                    GRANT CREATE ON DATABASE partition_owner TO leaf_migrator; GRANT ALL ON SCHEMA public TO leaf_migrator;
                    CREATE TABLE item_rest PARTITION OF item DEFAULT;
                    ALTER TABLE item_low OWNER TO leaf_migrator; GRANT SELECT ON item TO leaf_migrator;
                    """)
            let options = ConnectionOptions(
                conninfo: database.server.conninfo(database: database.name, user: "leaf_migrator"))
            let refusals = try await database.refusals(MigrationRequest("item_low", ""), options: options)
            #expect(refusals.map(\.code) == ["partition-owner", "partition-owner"])
            let text = refusals.map(\.description).joined(separator: "\n")
            for word in ["public.item of postgres", "public.item_rest of postgres", "GRANT postgres TO leaf_migrator;"]
            {
                #expect(text.contains(word), "\(text)")
            }
            try await database.psql(
                "DROP OWNED BY leaf_migrator CASCADE; DROP ROLE leaf_migrator")
        }

        /// DETACH … CONCURRENTLY has committed its first half and was ended in its second.
        @Test(arguments: try await Servers.outermost())
        func aHalfDetachedPartition(_ binaries: ServerBinaries) async throws {
            let database = try await TestDatabase.create("partition_pending", on: binaries)
            try await database.psql(Self.items)
            let session = try await TestSession(database)
            try await halfDetach(session, database)
            let finalize = "ALTER TABLE public.item DETACH PARTITION public.item_low FINALIZE;"
            for table in ["item", "item_low"] {
                let refusals = try await database.refusals(MigrationRequest(table, ""))
                #expect(refusals.map(\.code) == ["detach-pending"], "\(table)")
                #expect(refusals.map(\.object) == ["public.\(table)"])
                #expect(refusals.first?.fix.contains(finalize) == true, "\(refusals)")
            }
            // What it says helps.
            try await session.execute(finalize)
            try await RunningMigration(MigrationRequest("item", ""), database).summary()
            try await Finalize(connections: database.options).run("item")
            try await RunningMigration(MigrationRequest("item_low", ""), database).summary()
            try await Finalize(connections: database.options).run("item_low")
            #expect(try await session.isTrue("(SELECT count(*) FROM item) + (SELECT count(*) FROM item_low) = 3000"))
            try await Remains(session: session).expectNothing()
            await session.close()
        }

        /// The same, in the middle of a migration.
        @Test(arguments: try await Servers.outermost(), ["item", "item_low"])
        func aPartitionThatIsHalfDetachedMeanwhile(_ binaries: ServerBinaries, _ table: String) async throws {
            let database = try await TestDatabase.create("partition_pending_late", on: binaries)
            try await database.psql(Self.items)
            let session = try await TestSession(database)
            let running = RunningMigration(MigrationRequest(table, ""), database, .quick.manual())
            try await running.untilReady(session)
            try await halfDetach(session, database)
            try await Steer(connections: database.options).run(.cutOver, table)
            let error = try #require(await running.failure() as? MigrationError)
            #expect(error.code == .sourceChanged, "\(error)")
            #expect(try await session.isTrue("EXISTS (SELECT FROM pg_inherits WHERE inhdetachpending)"))
            try await Abort(connections: database.options, log: running.log.logger()).run(table)
            try await Remains(session: session).expectNothing()
            await session.close()
        }

        /// Leaves `item_low` with the first half of DETACH … CONCURRENTLY committed.
        private func halfDetach(_ session: TestSession, _ database: TestDatabase) async throws {
            let reader = try await TestSession(database, "reader")
            try await reader.execute("BEGIN; SELECT count(*) FROM item")
            let other = try await TestSession(database, "somebody else")
            let detached = Task {
                try await other.execute("ALTER TABLE item DETACH PARTITION item_low CONCURRENTLY")
            }
            try await eventually("the partition is being detached") {
                try await session.isTrue("EXISTS (SELECT FROM pg_inherits WHERE inhdetachpending)")
            }
            try await session.execute("SELECT pg_cancel_backend(\(other.pid))")
            await #expect(throws: PgError.self) { try await detached.value }
            try await reader.execute("COMMIT")
            for session in [reader, other] { await session.close() }
        }

        /// An index of a partitioned table is invalid until each partition has its part: no damage, and carried over as it is.
        @Test(arguments: try await Servers.outermost())
        func anInvalidIndexOfAPartitionedTable(_ binaries: ServerBinaries) async throws {
            let database = try await TestDatabase.create("partition_invalid", on: binaries)
            try await database.psql(
                Self.items + """
                    CREATE INDEX item_begun ON ONLY item (value);
                    CREATE INDEX item_begun_low ON item_low (value); ALTER INDEX item_begun ATTACH PARTITION item_begun_low;
                    CREATE INDEX item_empty ON ONLY item (value, id);
                    COMMENT ON INDEX item_empty IS 'to be completed';
                    """)
            let session = try await TestSession(database)
            let facts = """
                SELECT concat_ws(' ', c.relname, i.indisvalid, (SELECT string_agg(inhrelid::regclass::text, ',' ORDER BY inhrelid::regclass::text)
                    FROM pg_inherits WHERE inhparent = c.oid)) FROM pg_index i JOIN pg_class c ON c.oid = i.indexrelid
                WHERE c.relnamespace = 'public'::regnamespace ORDER BY 1
                """
            let before = try await session.column(facts)
            #expect(before.contains("item_begun f item_begun_low") && before.contains("item_empty f"), "\(before)")
            try await database.expectRebuildLeavesNoDifference("item", name: "item")
            #expect(try await session.column(facts) == before)
            // For one partition alone, the attachment would build what is missing, or attach something.
            let refusals = try await database.refusals(MigrationRequest("item_high", ""))
            #expect(refusals.map(\.code) == ["partition-mismatch"])
            #expect(refusals.first?.what.contains("of public.item, which is invalid") == true, "\(refusals)")
            // A partition's own one is what a CREATE INDEX CONCURRENTLY has left behind.
            try await session.execute(
                """
                SET allow_system_table_mods = on;
                UPDATE pg_index SET indisvalid = false WHERE indexrelid = 'item_begun_low'::regclass
                """)
            #expect(try await database.refusals(MigrationRequest("item", "")).map(\.code) == ["invalid-index"])
            await session.close()
        }
    }
}
