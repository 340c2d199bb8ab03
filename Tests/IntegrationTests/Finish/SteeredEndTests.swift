import PgConnection
import Testing
import ThrowawayServer

@testable import ShadowAlter

extension LiveMigrations {
    /// Somebody says something to a migration in the moment in which its record goes, and the state tables with it.
    @Suite(.serialized, .timeLimit(.minutes(5))) struct SteeredEndTests {
        /// He has the table and asks for the row; whoever had the row, and asked for the table, would wait for him, and one of both would be ended.
        @Test(arguments: try await Servers.outermost())
        func nobodyWaitsForEachOther(_ binaries: ServerBinaries) async throws {
            let items = try await Items.create("steered_end", on: binaries)
            try await RunningMigration(Items.plain, items.database).summary()
            let steering = try await TestSession(items.database, "steering")
            // Were there a deadlock, it would be this session that is ended: the other one tries again.
            try await steering.execute("SET deadlock_timeout = '10ms'")
            let id: Int64 = try await steering.value("SELECT id FROM shadow_alter.migration")
            try await steering.execute("BEGIN; SELECT FROM shadow_alter.migration")
            let finalize = Finalize(connections: items.database.options)
            let ending = Task { try await finalize.run("item") }
            try await eventually("the end asks for the state table") {
                try await items.session.isTrue(
                    """
                    EXISTS (SELECT FROM pg_locks WHERE relation = 'shadow_alter.migration'::regclass AND mode = 'AccessExclusiveLock' AND NOT granted)
                    """)
            }
            let steered = try await steering.connection.run { try StateStore.steer(.finalize, id, on: $0) }
            #expect(steered != nil)
            try await steering.execute("COMMIT")
            #expect(try await ending.value == [QualifiedName(schema: "item_blue", name: "item")])
            await steering.close()
            try await Remains(session: items.session).expectNothing()
            await items.close()
        }
    }
}
