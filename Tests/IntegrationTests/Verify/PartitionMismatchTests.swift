import PgConnection
import ShadowAlter
import Testing
import ThrowawayServer

extension LiveMigrations {
    /// Damage in partitions: of a partitioned table that is changed, and of one that an ordinary table becomes.
    @Suite(.serialized, .timeLimit(.minutes(5))) struct PartitionMismatchTests {
        @Test(arguments: try await Servers.outermost())
        func damageInATreeIsFoundAndRepaired(_ binaries: ServerBinaries) async throws {
            let request = MigrationRequest("item", "ALTER value TYPE varchar(99)", name: "item")
            try await damage("verify_tree", PartitionedItems.tree, request, on: binaries)
        }

        @Test(arguments: try await Servers.outermost())
        func damageInNewPartitionsIsFoundAndRepaired(_ binaries: ServerBinaries) async throws {
            // With a key that the old table's index does not find, too.
            for type in ["int", "numeric"] {
                let request = MigrationRequest(
                    change: .script(
                        """
                        DROP TABLE item;
                        CREATE TABLE item (id \(type) PRIMARY KEY, value text, filler text) PARTITION BY RANGE (id);
                        CREATE TABLE item_low PARTITION OF item FOR VALUES FROM (MINVALUE) TO (2000);
                        CREATE TABLE item_rest PARTITION OF item DEFAULT;
                        """))
                try await damage("verify_divided", PartitionedItems.ordinary, request, on: binaries)
            }
        }

        private func damage(
            _ name: String, _ table: String, _ request: MigrationRequest, on binaries: ServerBinaries
        ) async throws {
            let items = try await PartitionedItems.create(name, table, on: binaries)
            let running = RunningMigration(request, items.database, .quick.manual())
            running.mayFindMismatches()
            try await running.untilReady(items.session)
            try await items.write()
            try await items.session.execute(
                """
                UPDATE item_green.item SET value = 'damaged' WHERE id = 1501; DELETE FROM item_green.item WHERE id = 2501;
                INSERT INTO item_green.item VALUES (90000, 'foreign', ''); UPDATE item_green.item SET id = 60502 WHERE id = 502
                """)
            let seen = try await Verified.verify(running, items.database, items.session)
            #expect(seen.outcome == .passed)
            #expect(seen.mismatches == 5, "\(running.log.all.suffix(12))")
            for text in [
                "row id = '1501': value is 'damaged' instead of 'value 1501'", "row id = '2501': is missing",
                "row id = '90000': is not in the old table", "row id = '502': is missing",
                "row id = '60502': is not in the old table",
            ] { #expect(running.log.contains(text), "\(text): \(running.log.all.suffix(12))") }
            #expect(try await Verified.verify(running, items.database, items.session).mismatches == 0)
            try await Steer(connections: items.database.options).run(.cutOver, "item")
            try await running.summary()
            try await items.expectExact()
            try await items.finish()
        }
    }
}
