import ShadowAlter
import Testing
import ThrowawayServer

extension LiveMigrations {
    /// What is sent to the server while everybody waits.
    @Suite(.serialized, .timeLimit(.minutes(5))) struct HoldTests {
        /// The way to the server and back is not made once for each table: only the statements that move a table are as many as the tables.
        @Test(arguments: try await Servers.outermost())
        func theHoldTakesAsManyMessagesForManyTables(_ binaries: ServerBinaries) async throws {
            let server = try await ThrowawayServer.start(
                binaries, settings: ["log_statement": "all", "autovacuum": "off"])
            let few = try await messages(partitions: 2, on: server)
            let many = try await messages(partitions: 20, on: server)
            #expect(few.count == many.count, "\(few.map { $0.prefix(200) }) and \(many.map { $0.prefix(200) })")
            #expect(moves(in: few) == 2 * 3)
            #expect(moves(in: many) == 2 * 21)
            try await server.stop()
        }

        private func moves(in messages: [String]) -> Int {
            messages.joined().matches(of: /ALTER TABLE \S+ SET SCHEMA/).count
        }

        /// What the cut-over sends between the grant of the lock and COMMIT, as the server's log has it.
        private func messages(partitions: Int, on server: ThrowawayServer) async throws -> [String] {
            let database = try await TestDatabase.create("hold_\(partitions)", in: server)
            try await database.psql(
                """
                CREATE TABLE item (id int PRIMARY KEY, value text) PARTITION BY RANGE (id);
                DO $$ BEGIN FOR i IN 1..\(partitions) LOOP
                    EXECUTE format('CREATE TABLE item_%s PARTITION OF item FOR VALUES FROM (%s) TO (%s)', i, i * 10, i * 10 + 10);
                    EXECUTE format('CREATE TRIGGER own BEFORE UPDATE ON item_%s FOR EACH ROW
                        EXECUTE FUNCTION suppress_redundant_updates_trigger()', i);
                END LOOP; END $$;
                CREATE INDEX ON item (value);
                CREATE VIEW items AS SELECT * FROM item;
                CREATE VIEW few AS SELECT * FROM items LIMIT 5;
                INSERT INTO item SELECT i, 'item ' || i FROM generate_series(10, \(partitions) * 10) i;
                """)
            let before = try entries(server).count
            let running = RunningMigration(MigrationRequest("item", ""), database, .quick)
            let summary = try await running.summary()
            #expect(summary.cutOver.attempts == 1)
            let entries = try entries(server).dropFirst(before).filter {
                $0.contains("shadow-alter cut-over LOG:  ") && $0.contains(/LOG:  (statement|execute)/)
            }
            let lock = try #require(entries.firstIndex { $0.contains("LOCK TABLE ") })
            let end = try #require(entries.lastIndex { $0.hasSuffix("statement: COMMIT") })
            return Array(entries[(lock + 1)...end])
        }

        /// The entries of the log. An entry's further lines begin with a tab.
        private func entries(_ server: ThrowawayServer) throws -> [String] {
            try server.log.replacing("\n\t", with: " ").split(separator: "\n").map(String.init)
        }
    }
}
