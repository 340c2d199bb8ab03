import PgConnection
import ShadowAlter
import Testing
import ThrowawayServer

extension LiveMigrations {
    /// A partitioned table's migration, and one that makes a partitioned table, go on after the tool was killed; and they follow TRUNCATE.
    @Suite(.serialized, .timeLimit(.minutes(5))) struct PartitionInterruptionTests {
        enum Kind: Sendable, CaseIterable {
            case tree, division

            var table: String { self == .tree ? PartitionedItems.tree : PartitionedItems.ordinary }
            var request: MigrationRequest { self == .tree ? PartitionedItems.changed : PartitionedItems.divided }
        }

        @Test(arguments: try await Servers.outermost(), Kind.allCases)
        func killedInTheCopyAndWhenReady(_ binaries: ServerBinaries, _ kind: Kind) async throws {
            let items = try await PartitionedItems.create("partition_killed", kind.table, on: binaries)
            let first = RunningMigration(kind.request, items.database, .pageByPage)
            try await items.barrier.waitForCopy(first)
            #expect(try await items.session.isTrue("EXISTS (SELECT FROM shadow_alter.chunk WHERE rows > 0)"))
            try await items.killTheTool()
            try await items.barrier.openCopy()
            #expect(await first.failure() != nil)
            try await items.session.execute(
                "CREATE TABLE first_run AS SELECT table_id, first_page, xmin AS writer FROM shadow_alter.chunk")
            try await items.write()

            let second = RunningMigration(kind.request, items.database, .pageByPage.manual())
            try await second.untilReady(items.session)
            #expect(second.log.contains("continuing migration item"))
            #expect(
                try await items.session.isTrue(
                    """
                    NOT EXISTS (SELECT FROM first_run f WHERE NOT EXISTS (SELECT FROM shadow_alter.chunk c
                        WHERE c.table_id = f.table_id AND c.first_page = f.first_page AND c.xmin = f.writer))
                    """), "a chunk was copied again")
            try await items.write()
            try await items.killTheTool()
            #expect(await second.failure() != nil)
            try await items.write()

            try await RunningMigration(kind.request, items.database).summary()
            try await items.expectExact()
            try await items.session.execute("DROP TABLE first_run")
            try await items.finish()
        }

        /// In one transaction with what comes before and after it.
        private static func truncate(_ table: String) -> String {
            """
            BEGIN; UPDATE item SET value = 'gone' WHERE id < 3000; TRUNCATE \(table);
            INSERT INTO item SELECT n, 'second life', '' FROM generate_series(500, 3500, 20) n ON CONFLICT (id) DO NOTHING; COMMIT
            """
        }

        @Test(arguments: try await Servers.outermost(), ["item", "item_mid", "item_mid_a", "item_low, item_high"])
        func truncatedDuringTheCopy(_ binaries: ServerBinaries, _ table: String) async throws {
            let items = try await PartitionedItems.create("partition_truncate", PartitionedItems.tree, on: binaries)
            let running = RunningMigration(PartitionedItems.changed, items.database, .pageByPage)
            try await items.barrier.waitForCopy(running)
            let other = try await TestSession(items.database, "somebody else")
            async let truncated = other.execute(Self.truncate(table))
            try await eventually("TRUNCATE has had its turn, or waits for the chunk at the barrier") {
                try await items.session.isTrue(
                    """
                    EXISTS (SELECT FROM pg_stat_activity a WHERE datname = current_database() AND application_name = 'somebody else'
                        AND query LIKE 'BEGIN; UPDATE%' AND (state = 'idle' OR EXISTS (SELECT FROM pg_locks l
                            WHERE l.pid = a.pid AND l.mode = 'AccessExclusiveLock' AND NOT l.granted)))
                    """)
            }
            try await items.barrier.openCopy()
            _ = try await truncated
            try await running.summary()
            try await items.expectExact()
            #expect(try await items.session.isTrue("(SELECT count(*) > 0 FROM item WHERE value = 'second life')"))
            await other.close()
            try await items.finish()
        }

        @Test(
            arguments: try await Servers.outermost(),
            [("item", Kind.tree), ("item_mid", .tree), ("item_mid_a", .tree), ("item", .division)])
        func truncatedWhenReady(_ binaries: ServerBinaries, _ example: (table: String, kind: Kind)) async throws {
            let items = try await PartitionedItems.create(
                "partition_truncate_ready", example.kind.table, on: binaries)
            try await items.barrier.openCopy()
            let running = RunningMigration(example.kind.request, items.database, .quick.manual())
            try await running.untilReady(items.session)
            try await items.session.execute(Self.truncate(example.table))
            try await running.until("the shadow follows") {
                try await items.session.isTrue(
                    "(SELECT count(*) FROM item_green.item) = (SELECT count(*) FROM public.item)")
            }
            try await items.session.execute("TRUNCATE \(example.table)")
            try await items.session.execute(
                "INSERT INTO item SELECT n, 'third life', '' FROM generate_series(1001, 1900, 3) n ON CONFLICT (id) DO NOTHING"
            )
            try await items.session.execute("BEGIN; TRUNCATE item; ROLLBACK")
            try await Steer(connections: items.database.options).run(.cutOver, "item")
            try await running.summary()
            try await items.expectExact()
            #expect(try await items.session.isTrue("(SELECT count(*) > 100 FROM item WHERE value = 'third life')"))
            try await items.finish()
        }
    }
}
